// Limits that only the queue on Redis has; queue/limits.ts has those of both stores. Scripts get them as arguments.

const HOUR_MS = 3600 * 1000

/** The most batches that one run of the script gives up, so that no run blocks Redis for long. */
export const MAX_GIVEN_UP_AT_ONCE = 100
/**
 * A consumer without a command for this long belongs to a stopped worker: a running one sends two commands a second.
 */
export const CONSUMER_SILENT_MS = HOUR_MS

/** How long target lines are kept that no batch refers to: the commit of their page failed, or its reply was lost. */
export const KEEP_UNUSED_TARGETS_MS = 60_000

/**
 * How long Redis may still lose a write after answering it. Redis writes its file once a second, and may delay that by
 * two.
 */
export const MAY_BE_LOST_MS = 5000
/** The most memory of a process for remembered writes that Redis may still lose. */
export const MAX_RECENT_WRITES_BYTES = 64 * 1024 * 1024
/** The most reports in Redis' memory, about 50 MB. Above it, the reports of ended sends are deleted, oldest first. */
export const MAX_REPORTS = 100_000
