/** The lanes of the queue. Small sends have a lane of their own, so that they never wait behind a broadcast. */
export const LANES = ['small', 'broadcast'] as const
/** The name of a lane. */
export type Lane = (typeof LANES)[number]

/** The kinds of work in a lane: sends to walk, and batches to deliver. Each has a loop of its own. */
export const WORK_KINDS = ['sends', 'batches'] as const
/** The name of a kind of work. */
export type WorkKind = (typeof WORK_KINDS)[number]

/** The lanes that a process works on. */
export interface Duty {
  lanes: readonly Lane[]
  /** Lanes that another process serves first. This process only polls them, so it takes the remaining work. */
  fallbackLanes: readonly Lane[]
}

/** The duty of a server with a single process: it works on all lanes and is the first to serve each of them. */
export const FULL_DUTY: Duty = { lanes: LANES, fallbackLanes: [] }
