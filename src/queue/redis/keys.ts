import type { ProviderName } from '../../config/provider-names.ts'
import type { Lane } from '../lane.ts'

/**
 * The names of all keys. One hash tag puts them into one slot of a Cluster, so that a script may use several of them.
 */
export type QueueKeys = ReturnType<typeof makeKeys>

/** Makes the names of all keys. @param prefix their beginning */
export function makeKeys(prefix: string) {
  const base = `${prefix}{queue}:`
  return {
    /** Hash: a send. It expires some time after its end. */
    send: (uid: string) => `${base}send:${uid}`,
    sendPrefix: `${base}send:`,
    /** Set: the exclusions of a send. Its name is stored data. */
    exclusions: (uid: string) => `${base}drops:${uid}`,
    exclusionsPrefix: `${base}drops:`,
    /**
     * Sorted set: uids by the time from which on they can be claimed for fan-out: now, `send_at`, or the end of a
     * lease.
     */
    dueSends: (lane: Lane) => `${base}due:${lane}`,
    /** Sorted set: uids of scheduled sends by their `send_at`. */
    scheduled: `${base}scheduled`,
    /**
     * Stream: waiting and claimed batches. Entries are removed when they are acknowledged; a stream is never trimmed.
     */
    batches: (lane: Lane, provider: ProviderName) => `${base}batches:${lane}:${provider}`,
    /** String: the target lines of one batch of a broadcast; the batch's entry names the key (stored-targets.ts). */
    targets: (id: string) => `${base}targets:${id}`,
    /** Hash: of each claimed batch the time of its first claim and its checkpoint. */
    notes: (lane: Lane, provider: ProviderName) => `${base}notes:${lane}:${provider}`,
    /** Sorted set: retries and other delayed batches, by the time from which on they can be claimed. */
    retries: `${base}retries`,
    /** Hash: the fields of each delayed batch. */
    retryBodies: `${base}retries:bodies`,
    /** Counter: the number of the last delayed batch. */
    lastRetry: `${base}retries:last`,
    /** Stream: dead letters, trimmed by their age. */
    deadLetters: `${base}dead`,
    /** Hash: paused providers. */
    pauses: `${base}pauses`,
    /** Channel: announces work of a lane. */
    work: (lane: Lane) => `${base}work:${lane}`,
  }
}
