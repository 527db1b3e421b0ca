import { listAttempts, listEvents } from '../delivery/ended-targets.ts'
import type { OnStored } from '../queue/send.ts'
import { decodeLines } from '../sends/line-bytes.ts'
import type { RunningAnalytics } from './running-analytics.ts'
import type { SendCounts } from './send-counts.ts'

/**
 * Makes a function that counts and records the targets of stored pages that fan-out has decided on: devices that get
 * no push, and targets that wait for their time window.
 */
export function makePageRecorder(
  { onSkipped }: Pick<SendCounts, 'onSkipped'>,
  recorder: RunningAnalytics['recorder'],
): OnStored {
  return ({ lane, content: { analyticsUid: uid } }, { batches, leftOut = [] }) => {
    const shared = { uid, isSmall: lane === 'small' }
    for (const { provider, reason, lines, count } of leftOut) {
      onSkipped(provider, count, reason)
      const ended = [{ outcome: 'dropped', reason, message: '', lines: decodeLines(lines) }] as const
      const source = { provider, targetKind: 'token' } as const
      void recorder?.recordEvents({ ...shared, provider, recipientType: 'token' }, listEvents(source, ended))
    }
    if (!recorder) return
    for (const { provider, targetKind, targets, delayMs = 0 } of batches) {
      if (delayMs <= 0 || targets.kind !== 'lines') continue
      const postponed = [{ reason: 'time_limit', message: '', lines: decodeLines(targets.lines) }]
      const attempts = listAttempts({ provider, targetKind }, 1, postponed)
      void recorder.recordAttempts({ ...shared, provider, recipientType: targetKind }, attempts)
    }
  }
}
