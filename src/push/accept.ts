// Accepts requests to send: a request is either stored as one send, or refused without storing anything.
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'
import { ApiError } from '../protocol/errors.ts'
import type { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import type { Queue } from '../queue/queue.ts'
import type { OnStored, Page, Send } from '../queue/send.ts'
import { type TargetKind, targetKindOf } from '../sends/recipient.ts'
import type { PageReader } from './page-reader.ts'
import { QueueFullError } from './queue-full-error.ts'
import { readSend, type SendChecks } from './read-send.ts'

/** The parts that acceptSend() needs. */
export interface AcceptDeps extends SendChecks {
  queue: Queue
  /** Reads the first page of a small send. Its batches are stored with the send. */
  pages: PageReader
  /** Whether a recipient may be a device filter. Filters need a database of devices. */
  hasDevices: boolean
  /** The enabled providers, with those that run as a sandbox. */
  providers: ReadonlySet<ProviderName>
  /** Called for each accepted send that has a `send_at`, for the metrics. */
  onScheduled(recipientType: TargetKind): void
  /** Called after the page of a small send was stored with it. */
  onStored?: OnStored
}

/** Accepts a request to send. Resolves to the uid of the send. A repeated request is stored once. @throws ApiError */
export async function acceptSend(deps: AcceptDeps, request: SendPushNotificationRequest): Promise<string> {
  const send = readSend(request, deps)
  await storeSend(deps, send)
  return send.uid
}

/** Stores a send, unless the same request was stored under its uid before. @throws ApiError */
export async function storeSend(deps: AcceptDeps, send: Send): Promise<void> {
  checkAvailable(deps, send)
  const page = await firstPage(deps, send)
  const result = await deps.queue.enqueue(send, page)
  switch (result) {
    case 'conflict':
      throw new ApiError('conflict', 'uid: was used for another request')
    case 'full':
    case 'outOfMemory':
      throw new QueueFullError(result)
    case 'accepted':
      if (send.sendAtMs !== undefined) deps.onScheduled(targetKindOf(send.recipient))
      if (page) deps.onStored?.(send, page)
      return
    case 'duplicate':
      return
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
 * Reads the first page of a small send, which is stored with the send so that its batches can be claimed at once.
 * Undefined for sends that a worker fans out: a scheduled send goes to the devices that match at its `send_at`, and a
 * user with thousands of devices makes a broadcast.
 */
async function firstPage(deps: AcceptDeps, send: Send): Promise<Page | undefined> {
  if (send.sendAtMs !== undefined || send.lane !== 'small') return undefined
  const page = await deps.pages.read(send, undefined)
  return page.cursor === undefined ? page : undefined
}
