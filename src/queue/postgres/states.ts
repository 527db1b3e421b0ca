// Codes in the tables.

/** The states of a send. */
export const WAITING = 0
export const FANNING = 1
export const FANNED = 2
export const DONE = 3
export const CANCELLED = 4
/** The uid has exclusions, and its send has not arrived. */
export const PLACEHOLDER = 5

/** Lanes. */
export const LANES = { small: 0, broadcast: 1 } as const
export const LANE_NAMES = ['small', 'broadcast'] as const
