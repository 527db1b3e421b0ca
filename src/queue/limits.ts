// Limits of the queue that are the same on PostgreSQL and Redis.

/**
 * The most waiting broadcast batches of a provider. The fan-out of a send pauses before it adds more, so that the queue
 * stays small.
 */
export const MAX_WAITING_BATCHES = 200
/**
 * The most waiting broadcast batches of a paused provider. It is higher than for other providers, because a fan-out
 * that pauses here also makes no batches for providers that work.
 */
export const MAX_WAITING_BATCHES_OF_PAUSED = 2000
/** The most exclusions (cancelled users and devices) of a send. Beyond it the caller should cancel the whole send. */
export const MAX_EXCLUSIONS = 100_000

/** How long a uid is kept after its send has ended, so that a repeated request is recognised. */
export const KEEP_ENDED_SECONDS = 24 * 3600
/**
 * How long the uid of an ended send with dead letters is kept, so that they can be sent again: longer than a long
 * weekend.
 */
export const KEEP_DEAD_LETTERS_SECONDS = 7 * 24 * 3600
/** How long the report of a send is kept after its end, unless it is configured: 30 days. */
export const KEEP_REPORTS_MS = 30 * 24 * 3600 * 1000
/** The most reports that one call reads to find those that match a filter. */
export const MAX_EXAMINED_REPORTS = 10_000
/** How long the cancellation of an unknown uid is kept, because the send may arrive after its cancellation. */
export const KEEP_UNKNOWN_SECONDS = 600

/** A batch that no worker claims for this long is given up: its provider was disabled, or paused and not resumed. */
export const UNCLAIMED_TOO_LONG_SECONDS = 48 * 3600
/** The reason in the dead letters of batches that no worker claimed for UNCLAIMED_TOO_LONG_SECONDS. */
export const UNCLAIMED_REASON = 'not claimed by any worker for two days'
