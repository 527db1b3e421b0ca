// Acks: a client tells that its user has seen, or that it has received, the publication of a send. An ack excludes the
// user's own targets from the send, so it never stops the push to another user, whichever uid it names.
import { checkUser, parseId } from '../devices/field-checks.ts'
import { ApiError } from '../protocol/errors.ts'
import type { AckPushRequest } from '../protocol/requests/realtime.ts'
import { checkUid } from '../push/uid.ts'
import type { Queue } from '../queue/queue.ts'
import type { AckKind } from '../sends/ack-rule.ts'

/** The most uids of one ack: a message of a WebSocket client has at most 64 KiB. */
export const MAX_UIDS = 500

/** The ack of one user for several sends. */
export interface Ack {
  user: string
  uids: readonly string[]
  /** The uuid of the device that acknowledges; empty: unknown, so sends of the ack scope `device` are not stopped. */
  deviceId: string
  kind: AckKind
}

/** Reads the ack of a request. @throws ApiError badRequest */
export function readAck({ user, uids, device_id: deviceId, kind }: AckPushRequest): Ack {
  if (user === '') throw new ApiError('badRequest', 'user: must not be empty')
  if (uids.length === 0 || uids.length > MAX_UIDS) throw new ApiError('badRequest', `uids: must be 1 to ${MAX_UIDS}`)
  for (const uid of uids) checkUid(uid)
  if (kind !== '' && kind !== 'seen' && kind !== 'received') {
    throw new ApiError('badRequest', 'kind: must be seen or received')
  }
  return {
    user: checkUser('user', user),
    uids: [...new Set(uids)],
    // Target lines contain the uuid of a device, not its whole id.
    deviceId: deviceId && parseId('device_id', deviceId).uuid,
    kind: kind === '' ? 'seen' : kind,
  }
}

/**
 * Stores an ack. It takes effect on targets that are not handed to a provider yet, and on sends that arrive within 10
 * minutes. @throws ApiError internal if a send has no room for it
 */
export async function storeAck(queue: Pick<Queue, 'exclude'>, { user, uids, deviceId, kind }: Ack): Promise<void> {
  const devices = deviceId === '' ? [''] : ['', deviceId]
  const stored = await Promise.all(
    uids.flatMap((uid) => devices.map((device) => queue.exclude(uid, { user, deviceId: device, ack: kind }))),
  )
  if (stored.includes('full')) throw new ApiError('internal', 'ack: 100,000 acks of a send are stored already')
}
