/** A time window: hours of the local day, in ms since midnight. */
export interface TimeWindow {
  /** The time of the day at which the window opens, in ms since midnight. */
  afterMs: number
  /** The window is closed from this time on. It is less than `afterMs` if the window includes midnight. */
  beforeMs: number
}

/** The time limit of a send: its pushes are sent only in a time window, by the time zone of each device. */
export interface TimeLimit extends TimeWindow {
  /** Whether targets without a time zone are sent at once; otherwise they are dropped. */
  sendsWithoutZone: boolean
}
