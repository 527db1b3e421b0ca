import type { ProviderName } from '../config/provider-names.ts'
import { withoutZeroValues } from '../protocol/result.ts'
import type { ReportCount, ReportSubject, SendReport } from '../queue/report.ts'

/** The numbers of targets of a send, or of one provider of it. */
export type TargetCounts = Record<ReportCount['counted'] | 'waiting', number>

/** Adds up the counts of a report, of one provider if it is given. */
export function addUp({ counts }: Pick<SendReport, 'counts'>, provider?: ProviderName): TargetCounts {
  const sums: TargetCounts = {
    target: 0,
    sent: 0,
    failed: 0,
    expired: 0,
    cancelled: 0,
    dropped: 0,
    retrying: 0,
    waiting: 0,
  }
  for (const { provider: name, counted, count } of counts) {
    if (provider === undefined || name === provider) sums[counted] += count
  }
  const { target, sent, failed, expired, cancelled, dropped, retrying } = sums
  // Below 0 for sends of an earlier version, which did not count their first targets.
  sums.waiting = Math.max(0, target - sent - failed - expired - cancelled - dropped - retrying)
  return sums
}

/** Encodes a report as the result of `push_info`, and as an item of `push_list`. Times are Unix times in seconds. */
export function encodeReport(report: SendReport): object {
  const { uid, analyticsUid, state, subject, delivered, interacted, counts } = report
  const providers = [...new Set(counts.map(({ provider }) => provider))]
  return withoutZeroValues({
    uid,
    analytics_uid: analyticsUid === uid ? '' : analyticsUid,
    state,
    accepted_at: toSeconds(report.acceptedAtMs),
    send_at: toSeconds(report.sendAtMs),
    expire_at: toSeconds(report.expireAtMs),
    first_at: toSeconds(report.firstAtMs),
    last_at: toSeconds(report.lastAtMs),
    ended_at: toSeconds(report.endedAtMs),
    notification_providers: subject?.providers,
    recipient: subject && encodeRecipient(subject.recipient),
    ...encodeCounts(addUp(report)),
    delivered,
    interacted,
    providers: providers.map((provider) => withoutZeroValues({ provider, ...encodeCounts(addUp(report, provider)) })),
    failures: listReasons(report, 'failed').map(({ reason, ...count }) => ({ ...count, error_code: reason })),
    left_out: listReasons(report, 'dropped'),
  })
}

/** The counts of one kind with their reasons, the largest first. */
export function listReasons({ counts }: SendReport, counted: 'failed' | 'dropped') {
  return counts
    .filter((count) => count.counted === counted)
    .map(({ provider, reason, count }) => ({ provider, reason, count }))
    .sort((a, b) => b.count - a.count)
}

function encodeCounts({ target, sent, failed, expired, cancelled, dropped, retrying, waiting }: TargetCounts) {
  return { targets: target, sent, failed, expired, cancelled, dropped, retrying, waiting }
}

function encodeRecipient(recipient: ReportSubject['recipient']): object {
  if (recipient.kind === 'native') {
    const { provider, targetKind, value } = recipient
    return withoutZeroValues({ provider, type: targetKind, value })
  }
  return recipient.filter ? { filter: withoutZeroValues({ ...recipient.filter }) } : { filter: {} }
}

function toSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1000)
}
