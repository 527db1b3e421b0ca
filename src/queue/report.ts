// The report of a send: its times, and its targets counted by outcome. The store changes the counts in the transaction
// or script that changes the batches of the send, so they stay exact when a process is killed.
//
//   targets = sent + failed + expired + cancelled + dropped + retrying + waiting
//
// `waiting` is not counted: it is the difference. Two numbers are estimates. The targets of a broadcast to a filter are
// counted when their range is read, so their number grows until then. A range that no worker claims for two days counts
// as many failed targets as it had devices.
import type { ProviderName } from '../config/provider-names.ts'
import type { DeviceFilter, TargetKind } from '../sends/recipient.ts'

/** The outcomes after which a target gets no further attempt. */
export const FINAL_OUTCOMES = ['sent', 'failed', 'expired', 'cancelled', 'dropped'] as const
/** An outcome after which a target gets no further attempt. `dropped`: not sent because of a rule. */
export type FinalOutcome = (typeof FINAL_OUTCOMES)[number]

/** The words for the counts of a report, see ReportCount. */
export const COUNTED = ['target', 'retrying', ...FINAL_OUTCOMES] as const

/** A count of a report, or a change of it. */
export interface ReportCount {
  provider: ProviderName
  /**
   * `target`: devices, raw tokens, topics and conditions of the recipient, in the end each of them with one final
   * outcome. `retrying`: had an attempt and are stored for another one.
   */
  counted: (typeof COUNTED)[number]
  /** The provider's error code of failed targets, or the rule that dropped targets; otherwise empty. */
  reason: string
  count: number
}

/**
 * The state of a send. `scheduled`: its `send_at` is in the future. `active`: some of its targets are not ended.
 * `cancelled`: no further target is sent to. `ended`: all targets are ended.
 */
export const REPORT_STATES = ['scheduled', 'active', 'cancelled', 'ended'] as const
/** A state of a send, see REPORT_STATES. */
export type ReportState = (typeof REPORT_STATES)[number]

/** The parts of a send's request that its report keeps. */
export interface ReportSubject {
  /** The providers that the send has a notification for. */
  providers: ProviderName[]
  recipient: /** `filter` is absent if it is too long to be kept. */
    | { kind: 'filter'; filter?: DeviceFilter | undefined }
    /** Raw tokens are not kept. `value` is the topic or condition; absent if it is too long to be kept. */
    | { kind: 'native'; provider: ProviderName; targetKind: TargetKind; value?: string | undefined }
}

/** The report of a send. Times are Unix times in ms, by the clock of the store. */
export interface SendReport {
  uid: string
  /** The uid of the rows that analytics keeps about this send. */
  analyticsUid: string
  state: ReportState
  /** Undefined for a send of an earlier version. */
  subject: ReportSubject | undefined
  acceptedAtMs: number
  sendAtMs: number | undefined
  expireAtMs: number | undefined
  /** The times of the first and the last acknowledgement that counted a target. */
  firstAtMs: number | undefined
  lastAtMs: number | undefined
  /** When the last batch was acknowledged. Undefined for a cancelled send with batches that are not acknowledged. */
  endedAtMs: number | undefined
  counts: ReportCount[]
  /**
   * The apps' reports with the `uid` of the send as their `analytics_uid`. Each report counts, also a second one of the
   * same device.
   */
  delivered: number
  interacted: number
}

/** Selects reports. An absent field matches all. */
export interface ReportFilter {
  states?: readonly ReportState[]
  uidPrefix?: string
  /** The first time of acceptance that matches, as Unix time in ms. */
  acceptedFromMs?: number
  /** The first time of acceptance that does not match any more, as Unix time in ms. */
  acceptedToMs?: number
}

/** A page of reports, the latest accepted first. */
export interface ReportPage {
  reports: SendReport[]
  /** The cursor of the next page; undefined if there is none. */
  nextCursor: string | undefined
}

/** The cursor of a list is not one that a page had. */
export class ReportCursorError extends Error {
  override readonly name = 'ReportCursorError'
}

/** A number of apps' reports to add to a send. */
export interface StatusCount {
  uid: string
  delivered: number
  interacted: number
}
