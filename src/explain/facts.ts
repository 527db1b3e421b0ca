import type { RecordedEvent } from '../analytics/analytics.ts'
import type { ProviderName } from '../config/provider-names.ts'
import type { SendReport } from '../queue/report.ts'

/** A device as it is registered now. */
export interface RegisteredDevice {
  createdAtMs: number
  /** Whether the filter of the send matches it now; undefined if the filter is not known. */
  isMatched: boolean | undefined
}

/** All that is known about one device and one send. */
export interface PushFacts {
  /** Empty if no device is known. */
  deviceId: string
  user: string
  platform: string
  provider: ProviderName | undefined
  report: SendReport | undefined
  /** Undefined if it is not registered now. */
  device: RegisteredDevice | undefined
  /** The last automatic removal of the device; undefined if it was none, or more than a week ago. */
  removal: { atMs: number; reason: string } | undefined
  /** The rows about the device and the send, the newest first. */
  events: readonly RecordedEvent[]
  isEnabled: boolean
  /** Whether also sent pushes of broadcasts have rows. */
  hasAllRows: boolean
  /** The pause of the provider; undefined if it is not paused. Probes may end that of a refused credential only. */
  pause: { reason: string; isProbed: boolean } | undefined
  /** How long the time window keeps the push, in ms; undefined if the device has no time zone for it. */
  windowWaitMs: number | undefined
  /** Unix time in ms. */
  nowMs: number
}

/** The final event of the device: a sent one, otherwise the newest. */
export function findFinal(events: readonly RecordedEvent[]): RecordedEvent | undefined {
  const finals = events.filter(({ status }) => FINAL.has(status))
  return finals.find(({ status }) => status === 'sent') ?? finals[0]
}

/** The newest attempt after which the device was to be tried again. */
export function findAttempt(events: readonly RecordedEvent[]): RecordedEvent | undefined {
  return events.find(({ status }) => status === 'retry')
}

/** The app's report about the push: the furthest step. */
export function findReport(events: readonly RecordedEvent[]): RecordedEvent | undefined {
  const find = (wanted: string) => events.find(({ status }) => status === wanted)
  return find('interacted') ?? find('delivered')
}

/** Whether the rows show the end of the push. Then the present state of the send and the device explains nothing. */
export function isDone(events: readonly RecordedEvent[]): boolean {
  return findFinal(events) !== undefined || findReport(events) !== undefined
}

const FINAL = new Set(['sent', 'failed', 'expired', 'cancelled', 'dropped'])
