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

/** For a server with a single process: it works on all lanes, and no other process comes first in any of them. */
export const FULL_DUTY: Duty = { lanes: LANES, fallbackLanes: [] }
