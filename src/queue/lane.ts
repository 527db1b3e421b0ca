/** Small sends have a lane of their own, so that they never queue behind a broadcast. */
export const LANES = ['small', 'broadcast'] as const
export type Lane = (typeof LANES)[number]

/** The lanes that a process works on. */
export interface Duty {
  lanes: readonly Lane[]
  /** Lanes of these in which another process comes first: this one polls them and takes only the work left over. */
  fallbackLanes: readonly Lane[]
}

/** The duty of a process that runs alone. */
export const FULL_DUTY: Duty = { lanes: LANES, fallbackLanes: [] }
