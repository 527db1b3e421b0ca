// The limits that both stores keep.

/** A broadcast's walk waits while this many batches of one of its page's providers are waiting, so the queue stays small. */
export const MAX_WAITING_BATCHES = 200
/** The same for a paused provider: more, so that its part of a broadcast does not stop that of the others at once. */
export const MAX_WAITING_BATCHES_OF_PAUSED = 2000
/** Exclusions of a send: each is looked up by claims. Beyond that the whole send should be cancelled. */
export const MAX_EXCLUSIONS = 100_000

/** How long a uid is kept after its send has ended, so that a repeated request is recognised. */
export const KEEP_ENDED_SECONDS = 24 * 3600
/** The same for a send with dead letters: longer than a long weekend. */
export const KEEP_DEAD_LETTERS_SECONDS = 7 * 24 * 3600
/** How long the cancellation of an unknown uid is kept, for a send that arrives after it. */
export const KEEP_UNKNOWN_SECONDS = 600

/** A batch that no worker claims for so long becomes dead letters: its provider was disabled, or paused and forgotten. */
export const UNCLAIMED_TOO_LONG_SECONDS = 48 * 3600
/** The reason of those dead letters. */
export const UNCLAIMED_REASON = 'not claimed by any worker for two days'
