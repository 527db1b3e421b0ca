// Accepts requests: a request is either stored as one send, or refused without a trace.
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'
import { ApiError } from '../protocol/errors.ts'
import type { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import type { Queue } from '../queue/queue.ts'
import type { Page, Send } from '../queue/send.ts'
import type { PageReader } from './page-reader.ts'
import { QueueFullError } from './queue-full-error.ts'
import { readSend, type SendChecks } from './read-send.ts'

/** The parts of accepting a send. */
export interface AcceptDeps extends SendChecks {
  queue: Queue
  /** Reads the only page of a small send. */
  pages: PageReader
  /** Whether recipients may be device filters, which need a database. */
  hasDevices: boolean
  /** The enabled providers, those in the sandbox included. */
  providers: ReadonlySet<ProviderName>
  /** Called for each accepted send that has a `send_at`. */
  onScheduled(): void
}

/** Accepts a send; resolves to its uid. A repeated request is accepted once. @throws ApiError */
export async function acceptSend(deps: AcceptDeps, request: SendPushNotificationRequest): Promise<string> {
  const send = readSend(request, deps)
  checkAvailable(deps, send)
  const result = await deps.queue.enqueue(send, await firstPage(deps, send))
  switch (result) {
    case 'conflict':
      throw new ApiError('conflict', 'uid: was used for another request')
    case 'full':
    case 'outOfMemory':
      throw new QueueFullError(result)
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
 * The first page of a small send, which is stored with the send so that its batches can be claimed at once. A worker
 * walks all other sends: a scheduled send goes to the devices at its `send_at`, and a user with thousands of devices
 * makes a broadcast.
 */
async function firstPage(deps: AcceptDeps, send: Send): Promise<Page | undefined> {
  if (send.sendAtMs !== undefined || send.lane !== 'small') return undefined
  const page = await deps.pages.read(send, undefined)
  return page.cursor === undefined ? page : undefined
}
