// The ordered checks about one device and one send. The first check that explains the push gives the reason. A check
// that lacks its facts is unknown, and the next one decides.
import type { RecordedEvent } from '../analytics/analytics.ts'
import { findAttempt, findFinal, findReport, isDone, type PushFacts } from './facts.ts'
import type { Reason } from './reasons.ts'

/** The names of the checks, in their order. */
export const CHECKS = [
  'send_known',
  'send_due',
  'not_cancelled',
  'not_expired',
  'device_known',
  'is_recipient',
  'provider_enabled',
  'has_notification',
  'within_limits',
  'within_hours',
  'provider_running',
  'attempts',
  'still_registered',
  'app_report',
] as const
/** The name of a check. */
export type CheckName = (typeof CHECKS)[number]

/**
 * The result of a check. `ok`: it does not explain the push. `unknown`: its facts are not known. `reason`: it does
 * explain it.
 */
export type Finding = { kind: 'ok' | 'unknown'; detail?: string } | { kind: 'reason'; reason: Reason; detail?: string }

const OK: Finding = { kind: 'ok' }
const UNKNOWN: Finding = { kind: 'unknown' }

/** Runs all checks, in their order. */
export function runChecks(facts: PushFacts): { name: CheckName; finding: Finding }[] {
  return CHECKS.map((name) => ({ name, finding: CHECK[name](facts) }))
}

const CHECK: Record<CheckName, (facts: PushFacts) => Finding> = {
  send_known: ({ report, events }) => (report || events.length > 0 ? OK : explain('unknown_send')),

  send_due: ({ report, events }) => {
    if (report?.state !== 'scheduled' || isDone(events)) return OK
    return explain('scheduled', report.sendAtMs === undefined ? undefined : `due ${formatTime(report.sendAtMs)}`)
  },

  not_cancelled: ({ report, events }) => {
    const final = findFinal(events)
    const isExcluded = final?.status === 'dropped' && final.errorCode === 'excluded'
    if (isExcluded || final?.status === 'cancelled') return explain('cancelled', formatTime(final.timeMs))
    return !isDone(events) && report?.state === 'cancelled' ? explain('cancelled', 'the whole send was cancelled') : OK
  },

  not_expired: ({ report, events, nowMs }) => {
    const final = findFinal(events)
    if (final?.status === 'expired') return explain('expired', describe(final))
    const isLate = report?.state === 'active' && report.expireAtMs !== undefined && report.expireAtMs <= nowMs
    return !isDone(events) && isLate ? explain('expired', `at ${formatTime(report.expireAtMs)}`) : OK
  },

  device_known: ({ device, removal, events }) => {
    if (device || removal || events.length > 0) return OK
    return explain('never_registered')
  },

  is_recipient: (facts) => (facts.events.length > 0 ? OK : checkRecipient(facts)),

  provider_enabled: ({ events, isEnabled, provider }) => {
    if (isDone(events) || provider === undefined) return OK
    return isEnabled ? OK : explain('provider_disabled', provider)
  },

  has_notification: ({ report, events, provider }) => {
    const final = findFinal(events)
    if (final?.errorCode === 'no_notification') return explain('no_notification', final.provider)
    if (isDone(events)) return OK
    if (!report?.subject || provider === undefined) return UNKNOWN
    return report.subject.providers.includes(provider) ? OK : explain('no_notification', provider)
  },

  within_limits: ({ events }) => {
    const final = findFinal(events)
    const attempt = findAttempt(events)
    if (!isDone(events) && attempt?.errorCode === 'rate_limited') return explain('rate_delayed', describe(attempt))
    if (final?.status !== 'dropped') return OK
    const { errorCode } = final
    const isNamed = errorCode === 'rate_limited' || errorCode === 'no_timezone'
    return explain(isNamed ? errorCode : 'dropped', describe(final))
  },

  within_hours: ({ report, events, windowWaitMs, nowMs }) => {
    if (isDone(events) || report?.state !== 'active') return OK
    if (windowWaitMs === undefined) return explain('no_timezone')
    if (windowWaitMs > 0) return explain('outside_hours', `until ${formatTime(nowMs + windowWaitMs)}`)
    const attempt = findAttempt(events)
    return attempt?.errorCode === 'time_limit' ? explain('outside_hours', describe(attempt)) : OK
  },

  provider_running: ({ report, events, pause }) => {
    if (isDone(events) || report?.state !== 'active' || !pause) return OK
    return explain(pause.isProbed ? 'credential_refused' : 'provider_paused', pause.reason)
  },

  attempts: ({ report, events, device, hasAllRows }) => {
    const final = findFinal(events)
    const attempt = findAttempt(events)
    if (final) return final.status === 'failed' ? explain('failed', describe(final)) : OK
    if (attempt) return explain('retrying', describe(attempt))
    if (findReport(events)) return OK
    if (report?.state === 'active') return explain('waiting')
    const isSent = report?.state === 'ended' && device?.isMatched === true && !hasAllRows
    return explain(isSent ? 'presumably_sent' : 'not_recorded')
  },

  still_registered: ({ events, device, removal, deviceId }) => {
    if (device || deviceId === '' || findReport(events)) return OK
    return explain('device_removed', removal && `${removal.reason}, ${formatTime(removal.atMs)}`)
  },

  app_report: ({ events }) => {
    const report = findReport(events)
    if (!report) return explain('sent')
    return explain(report.status === 'interacted' ? 'interacted' : 'delivered', describe(report))
  },
}

/** Whether a device without events was among the targets, by its state now. */
function checkRecipient({ report, device, removal }: PushFacts): Finding {
  if (!report) return UNKNOWN
  const { recipient } = report.subject ?? {}
  if (recipient?.kind === 'native') return explain('other_address', recipient.value ?? recipient.targetKind)
  if (removal && !device && removal.atMs < report.acceptedAtMs) {
    return explain('removed_before', `${removal.reason}, ${formatTime(removal.atMs)}`)
  }
  if (!device) return UNKNOWN
  const endMs = report.endedAtMs ?? Number.POSITIVE_INFINITY
  if (device.createdAtMs > endMs) return explain('registered_later', `at ${formatTime(device.createdAtMs)}`)
  if (device.isMatched === undefined) return UNKNOWN
  return device.isMatched ? OK : explain('not_a_recipient')
}

function explain(reason: Reason, detail?: string): Finding {
  return detail === undefined || detail === '' ? { kind: 'reason', reason } : { kind: 'reason', reason, detail }
}

/** The code, message and time of a row, and of an attempt its number. */
function describe({ timeMs, errorCode, errorMessage, attempt }: RecordedEvent): string {
  const parts = [attempt > 0 ? `attempt ${attempt}` : '', errorCode, errorMessage, formatTime(timeMs)]
  return parts.filter((part) => part !== '').join(', ')
}

function formatTime(ms: number | undefined): string {
  return ms === undefined ? '' : new Date(ms).toISOString()
}
