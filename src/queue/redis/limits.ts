// Limits of the queue on Redis alone; those of both stores are in queue/limits.ts. Scripts get them as arguments.

const HOUR_MS = 3600 * 1000

/** The most batches that one script gives up, so that no script blocks Redis for long. */
export const MAX_GIVEN_UP_AT_ONCE = 100
/** A worker without a command for this long has stopped: a running one sends two commands a second. */
export const CONSUMER_SILENT_MS = HOUR_MS

/** How long target lines are kept that no batch refers to: their page was not committed, or its reply was lost. */
export const KEEP_UNUSED_TARGETS_MS = 60_000

/**
 * How long an answered write may still be lost. Redis writes its file once a second, and delays that by two at most.
 */
export const MAY_BE_LOST_MS = 5000
/** The most memory for writes that may be lost; above it the oldest ones are no longer remembered. */
export const MAX_RECENT_WRITES_BYTES = 64 * 1024 * 1024
