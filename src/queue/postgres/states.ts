// Numbers that the tables hold.

/** The states of a send. */
export const WAITING = 0
export const FANNING = 1
export const FANNED = 2
export const DONE = 3
export const CANCELLED = 4
/** Drops came before the send itself. */
export const ANNOUNCED = 5

/** Lanes. */
export const LANES = { small: 0, broadcast: 1 } as const
export const LANE_NAMES = ['small', 'broadcast'] as const

/** How long a uid is kept after its send ended, so that a repeated request is known. */
export const KEEP_ENDED = '24 hours'
/** The same when dead letters are left: over a long weekend. */
export const KEEP_DEAD_LETTERS = '7 days'
/** How long a cancellation or a drop waits for its send. */
export const KEEP_ANNOUNCED = '10 minutes'
