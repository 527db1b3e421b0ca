import type { ProviderName } from '../../config/provider-names.ts'
import type { Lane } from '../lane.ts'

/** The names of all keys. One hash tag holds them in one slot, so that a script may work on several of them. */
export type QueueKeys = ReturnType<typeof makeKeys>

export function makeKeys(prefix: string) {
  const base = `${prefix}{queue}:`
  return {
    /** Hash: a send. Expires when it is to be forgotten. */
    send: (uid: string) => `${base}send:${uid}`,
    sendPrefix: `${base}send:`,
    /** Set: targets left out of a send. */
    drops: (uid: string) => `${base}drops:${uid}`,
    dropsPrefix: `${base}drops:`,
    /** Sorted set of uids: when a send may be claimed for fan-out. Lease, delay and schedule at once. */
    dueSends: (lane: Lane) => `${base}due:${lane}`,
    /** Sorted set of uids: sends for later. */
    scheduled: `${base}scheduled`,
    /** Stream: the batches that wait or are claimed; an entry goes when it is acknowledged, never by trimming. */
    batches: (lane: Lane, provider: ProviderName) => `${base}batches:${lane}:${provider}`,
    /** String: the targets of one of a broadcast's batches; their stream has the key (stored-targets.ts). */
    targets: (id: string) => `${base}targets:${id}`,
    /** Hash: when a batch was claimed first, and what of it is settled. */
    notes: (lane: Lane, provider: ProviderName) => `${base}notes:${lane}:${provider}`,
    retries: `${base}retries`,
    retryBodies: `${base}retries:bodies`,
    lastRetry: `${base}retries:last`,
    deadLetters: `${base}dead`,
    pauses: `${base}pauses`,
    /** Channel: there may be work in a lane. */
    work: (lane: Lane) => `${base}work:${lane}`,
  }
}
