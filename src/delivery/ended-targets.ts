// The targets that an attempt ended or postponed, in groups, and their events for analytics.
import type { EventSource, TargetAttempt, TargetEvent } from '../analytics/analytics.ts'
import type { ProviderName } from '../config/provider-names.ts'
import { formatDeviceId } from '../devices/device-id.ts'
import type { FinalOutcome } from '../queue/report.ts'
import type { TargetKind } from '../sends/recipient.ts'
import { readIdentity, readValue } from '../sends/target-line.ts'
import type { OpenBatch } from './open-batch.ts'

/** Targets with the same final outcome. */
export interface EndedTargets {
  outcome: FinalOutcome
  /** The provider's error code of failed targets, or the rule that dropped targets; otherwise empty. */
  reason: string
  /** An explanation for the operator; may be empty. */
  message: string
  lines: readonly string[]
  /** The provider's ids of the messages, in the order of `lines`; absent unless they were sent. */
  messageIds?: readonly string[]
}

/** Targets that are stored for another attempt, with the same reason. */
export interface PostponedTargets {
  reason: string
  message: string
  lines: readonly string[]
  /** For each line the ms from the hand-over to the provider until its answer; absent if nothing was handed over. */
  latenciesMs?: readonly number[]
}

/** Makes a group of targets that expire before their next attempt. @param message why there is no attempt before */
export function expire(lines: readonly string[], message: string): EndedTargets {
  return { outcome: 'expired', reason: '', message, lines }
}

/** The facts that the events of a batch have in common. */
export function sourceOf({ analyticsUid, provider, targetKind, lane }: Omit<OpenBatch, 'lines' | 'rest'>): EventSource {
  return { uid: analyticsUid, provider, recipientType: targetKind, isSmall: lane === 'small' }
}

/** The kind of targets and the provider of lines. */
export interface LineSource {
  provider: ProviderName
  targetKind: TargetKind
}

/** The final events of targets. */
export function* listEvents(source: LineSource, groups: Iterable<EndedTargets>): Iterable<TargetEvent> {
  for (const { outcome: status, reason, message: errorMessage, lines, messageIds = [] } of groups) {
    // The codes of outcomes without a reason are the outcomes themselves.
    const errorCode = reason === '' && status !== 'sent' ? status : reason
    for (const [index, line] of lines.entries()) {
      yield { ...identify(source, line), status, messageId: messageIds[index] ?? '', errorCode, errorMessage }
    }
  }
}

/** The attempts of targets that are tried again. */
export function* listAttempts(
  source: LineSource,
  attempt: number,
  groups: Iterable<PostponedTargets>,
): Iterable<TargetAttempt> {
  for (const { reason: errorCode, message: errorMessage, lines, latenciesMs = [] } of groups) {
    for (const [index, line] of lines.entries()) {
      yield { ...identify(source, line), attempt, errorCode, errorMessage, latencyMs: latenciesMs[index] ?? 0 }
    }
  }
}

/** The fields of an event that identify the target. A token is never part of an event. */
function identify({ provider, targetKind }: LineSource, line: string) {
  const { deviceId, user, platform } = readIdentity(line)
  return {
    deviceId: deviceId && formatDeviceId(deviceId, provider),
    user,
    platform,
    recipient: targetKind === 'token' ? '' : readValue(line),
  }
}
