// The limits of the queue on both stores.

/** A walk pauses while a provider of its page has this many waiting broadcast batches, so the queue stays small. */
export const MAX_WAITING_BATCHES = 200
/** The same for a paused provider. It is higher, so that the pause does not stop broadcasts to other providers soon. */
export const MAX_WAITING_BATCHES_OF_PAUSED = 2000
/** The most exclusions of a send. With more of them the whole send should be cancelled. */
export const MAX_EXCLUSIONS = 100_000

/** How long a uid is kept after its send has ended, so that a repeated request is recognised. */
export const KEEP_ENDED_SECONDS = 24 * 3600
/** The same for a send with dead letters: longer than a long weekend. */
export const KEEP_DEAD_LETTERS_SECONDS = 7 * 24 * 3600
/** How long the cancellation of an unknown uid is kept, in case its send arrives later. */
export const KEEP_UNKNOWN_SECONDS = 600

/** Without a claim for this long, a batch is given up: its provider was disabled, or paused and not resumed. */
export const UNCLAIMED_TOO_LONG_SECONDS = 48 * 3600
/** The reason of those dead letters. */
export const UNCLAIMED_REASON = 'not claimed by any worker for two days'
