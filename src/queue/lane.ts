/** The lanes. Small sends have their own lane, so that they never queue behind a broadcast. */
export const LANES = ['small', 'broadcast'] as const
/** The name of a lane. */
export type Lane = (typeof LANES)[number]

/** The lanes that a process works on. */
export interface Duty {
  lanes: readonly Lane[]
  /** Those of `lanes` that another process serves first. This process polls them, so it takes only remaining work. */
  fallbackLanes: readonly Lane[]
}

/** The duty of a process that runs alone. */
export const FULL_DUTY: Duty = { lanes: LANES, fallbackLanes: [] }
