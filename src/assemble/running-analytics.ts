import type { Analytics, AttemptRecorder, EventReader, EventRecorder, VolumeReader } from '../analytics/analytics.ts'

/** The parts of a running analytics store. */
export interface RunningAnalytics {
  /** Stores apps' reports. */
  reports: Analytics
  /** Records events and attempts; undefined if the configuration records none. */
  recorder: (EventRecorder & AttemptRecorder) | undefined
  reader: EventReader
  volume: VolumeReader
}
