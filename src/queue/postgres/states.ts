// Codes in the tables.

/** The send is not walked yet. */
export const WAITING = 0
/** A worker walks the send. */
export const FANNING = 1
/** The walk has ended, and batches are open. */
export const FANNED = 2
/** The last batch is acknowledged. */
export const DONE = 3
/** The send is cancelled, or the uid was cancelled before its send arrived. */
export const CANCELLED = 4
/** The uid has exclusions, and its send has not arrived. */
export const PLACEHOLDER = 5

/** Lanes. */
export const LANES = { small: 0, broadcast: 1 } as const
