// The limits of the queue on Redis. Scripts get them as arguments.

const HOUR_SECONDS = 3600
const HOUR_MS = 3600 * 1000

/** How long the uid of an ended send is kept, so that a repeated request is recognised. */
export const KEEP_ENDED_SECONDS = 24 * HOUR_SECONDS
/** How long dead letters are kept, and with them their send. */
export const KEEP_DEAD_LETTERS_SECONDS = 7 * 24 * HOUR_SECONDS
/** How long a cancellation or an exclusion is kept for a uid that is unknown, because it may arrive before its send. */
export const KEEP_EARLY_CANCELLATION_SECONDS = 600

/** The most exclusions of a send. With more, the send should be cancelled as a whole. */
export const MAX_EXCLUSIONS = 100_000

/** A broadcast's fan-out pauses while a provider of its page has this many waiting batches: memory stays flat. */
export const MAX_WAITING_BATCHES = 200
/** The same for a paused provider, so that its part of a broadcast does not stop the other providers at once. */
export const MAX_WAITING_BATCHES_WHILE_PAUSED = 2000

/** Batches without a claim for this long are given up: their provider is no longer configured, or stays paused. */
export const UNCLAIMED_TOO_LONG_MS = 48 * HOUR_MS
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
