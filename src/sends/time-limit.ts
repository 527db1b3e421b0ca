/** Hours of the local day, in ms since midnight. */
export interface TimeWindow {
  /** The window opens at this time. */
  afterMs: number
  /** The window is closed from this time on. Less than `afterMs` in a window that includes midnight. */
  beforeMs: number
}

/** The time limit of a send: hours of the day in the time zone of each device. */
export interface TimeLimit extends TimeWindow {
  /** Targets without a time zone are sent at once; otherwise they are dropped. */
  sendsWithoutZone: boolean
}
