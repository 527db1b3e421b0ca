// The codes of send states and lanes in the tables.

/** State of a send: its fan-out has not begun. */
export const WAITING = 0
/** State of a send: a worker is storing its batches (fan-out). */
export const FANNING = 1
/** State of a send: all batches are stored (fan-out has ended), and some are not acknowledged yet. */
export const FANNED = 2
/** State of a send: the last batch is acknowledged. */
export const DONE = 3
/** State of a send: it is cancelled, or its uid was cancelled before the send arrived. */
export const CANCELLED = 4
/** State of a row without a send: exclusions for the uid are stored, and its send has not arrived. */
export const PLACEHOLDER = 5

/** The code of each lane. */
export const LANES = { small: 0, broadcast: 1 } as const
