import type { ProviderName } from '../../config/provider-names.ts'
import type { Lane } from '../lane.ts'

/**
 * The names of all keys of the queue, or of one partition of it. One hash tag puts them into one slot of a Redis
 * Cluster, so a script may use several.
 */
export type QueueKeys = ReturnType<typeof makeKeys>

/**
 * The numbers in the hash tags of partitions are multiples of this: then three masters of a new Cluster have 6, 5 and 5
 * of 16 partitions, and other masters similar shares. The slots of successive numbers are less even.
 */
const TAG_STEP = 500

/** The queue that has the keys. */
interface KeyOptions {
  /** The number of the partition; the first one, 0, by default. It has the keys of a queue without partitions. */
  partition?: number
  /** Whether announcements are published in the shard of the keys (SPUBLISH); false by default. */
  isSharded?: boolean
}

/** The beginning of all names of a partition's keys. @param prefix the beginning of all keys of the server */
export function makeKeyBase(prefix: string, partition: number): string {
  return `${prefix}{queue${partition === 0 ? '' : `:${partition * TAG_STEP}`}}:`
}

/** Makes the names of all keys of the queue. @param prefix the beginning of each name */
export function makeKeys(prefix: string, { partition = 0, isSharded = false }: KeyOptions = {}) {
  const base = makeKeyBase(prefix, partition)
  return {
    /** Hash: the fields of a send. It expires some time after the send has ended. */
    send: (uid: string) => `${base}send:${uid}`,
    sendPrefix: `${base}send:`,
    /**
     * Set: the exclusions (cancelled users and devices) of a send. The name of this key is stored data, so it keeps the
     * old word.
     */
    exclusions: (uid: string) => `${base}drops:${uid}`,
    exclusionsPrefix: `${base}drops:`,
    /** Hash: the report of a send (lua/report.lua). It expires some time after the send has ended. */
    report: (uid: string) => `${base}report:${uid}`,
    reportPrefix: `${base}report:`,
    /** Sorted set: the uids of reports by the time of acceptance, in Unix ms, except those of scheduled sends. */
    reports: `${base}reports`,
    /**
     * Sorted set: uids by the time from which on they can be claimed for fan-out: now, `send_at`, or the end of a
     * lease.
     */
    dueSends: (lane: Lane) => `${base}due:${lane}`,
    /**
     * Sorted set: the uids of scheduled sends by the time of acceptance, until they are claimed or cancelled. Earlier
     * versions stored them by `send_at`.
     */
    scheduled: `${base}scheduled`,
    /**
     * Stream: waiting and claimed batches. An entry is removed when its batch is acknowledged; the stream is never
     * trimmed.
     */
    batches: (lane: Lane, provider: ProviderName) => `${base}batches:${lane}:${provider}`,
    /**
     * String: the target lines of one batch of a broadcast. The batch's stream entry names this key
     * (stored-targets.ts).
     */
    targets: (id: string) => `${base}targets:${id}`,
    /**
     * Hash: for each claimed batch the time of its first claim, and which of its targets are finished
     * (lua/claim-notes.lua).
     */
    notes: (lane: Lane, provider: ProviderName) => `${base}notes:${lane}:${provider}`,
    /** Sorted set: the numbers of retries and other delayed batches, by the time from which on they can be claimed. */
    retries: `${base}retries`,
    /** Hash: the fields of each delayed batch, by its number. */
    retryBodies: `${base}retries:bodies`,
    /** Counter: the number of the last delayed batch. */
    lastRetry: `${base}retries:last`,
    /** Stream: dead letters, trimmed by their age. */
    deadLetters: `${base}dead`,
    /** Hash: the pause of each paused provider. */
    pauses: `${base}pauses`,
    /** Channel: a message announces that there is work in the lane. Its name tells the command (lua/wake-workers.lua). */
    work: (lane: Lane) => `${base}${isSharded ? 'shard-work' : 'work'}:${lane}`,
  }
}
