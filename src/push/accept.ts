// The first step of a push: a request becomes a send in the queue, or nothing at all.
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'
import { ApiError } from '../protocol/errors.ts'
import type { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import type { Queue } from '../queue/queue.ts'
import type { Page, Send } from '../queue/send.ts'
import type { PageReader } from './page-reader.ts'
import { readSend, type SendChecks } from './read-send.ts'

/** When the queue is full, batches leave it within seconds. */
const FULL_RETRY_SECONDS = 5

export interface AcceptDeps extends SendChecks {
  queue: Queue
  pages: PageReader
  /** Whether devices can be filtered: there is a database. */
  hasDevices: boolean
  /** Providers that pushes are sent to, for real or by the sandbox. */
  providers: ReadonlySet<ProviderName>
  /** Told of each send accepted for later. */
  onScheduled(): void
}

/** Accepts a send once; resolves to its uid. @throws ApiError */
export async function acceptSend(deps: AcceptDeps, request: SendPushNotificationRequest): Promise<string> {
  const send = readSend(request, deps)
  checkAvailable(deps, send)
  const result = await deps.queue.enqueue(send, await firstPage(deps, send))
  switch (result) {
    case 'conflict':
      throw new ApiError('conflict', 'uid: was used for another request')
    case 'full':
      throw new ApiError('internal', 'the queue is full', { retryAfterSeconds: FULL_RETRY_SECONDS })
    case 'accepted':
      if (send.sendAtMs !== undefined) deps.onScheduled()
      return send.uid
    case 'duplicate':
      return send.uid
  }
}

function checkAvailable(deps: AcceptDeps, send: Send): void {
  if (send.recipient.kind === 'filter' && !deps.hasDevices) {
    throw new ApiError('notAvailable', 'recipient.filter: needs a database')
  }
  const wanted = send.recipient.kind === 'native' ? [send.recipient.provider] : [...send.content.notifications.keys()]
  if (!wanted.some((provider) => deps.providers.has(provider))) {
    const enabled = PROVIDER_NAMES.filter((provider) => deps.providers.has(provider)).join(', ') || 'none'
    throw new ApiError('notAvailable', `notification: is for ${wanted.join(', ')}, enabled is ${enabled}`)
  }
}

/**
 * A small send is stored with its batches and so on its way at once. Everything else is walked by a worker: what is for
 * later meets the devices of then, and a user with thousands of devices is a broadcast.
 */
async function firstPage(deps: AcceptDeps, send: Send): Promise<Page | undefined> {
  if (send.sendAtMs !== undefined || send.lane !== 'small') return undefined
  const page = await deps.pages.read(send, undefined)
  return page.cursor === undefined ? page : undefined
}
