/** Hours of the local day: the window opens at `afterMs` and closes before `beforeMs`, in milliseconds since midnight. */
export interface TimeWindow {
  afterMs: number
  /** Below `afterMs` in a window that goes over midnight. */
  beforeMs: number
}

/** Hours of the day in which devices are sent to, by their own clocks. */
export interface TimeLimit extends TimeWindow {
  /** Devices without a time zone are sent to at once; otherwise they are dropped. */
  sendsWithoutZone: boolean
}
