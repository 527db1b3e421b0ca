import type { Answer } from '../../../src/simulators/answer.ts'

/** What has to come of an answer: for its target, its device and the metrics. */
export interface Effect {
  /** The target's label `err_code` in `centrifugo_push_notification_count`; undefined where it is not counted yet. */
  counted?: { success: boolean; errCode: string }
  /** In ms, the least: jitter comes on top. Undefined where the target is not tried again. */
  retryMs?: number
  /** Its device is removed. */
  isRemoved?: boolean
  /** Why the provider pauses. */
  pausedFor?: string
}

/** One answer of a provider and what has to come of it. */
export interface AnswerRow {
  /** The status and the reason, as the provider's reference names them. */
  what: string
  answer: Answer
  effect: Effect
}

/** Taken: counted as sent. */
export const sent: Effect = { counted: { success: true, errCode: '' } }

/** Never sent again; the device stays. */
export function rejected(errCode: string): Effect {
  return { counted: { success: false, errCode } }
}

/** Never sent again, and the device goes. */
export function removed(errCode: string): Effect {
  return { ...rejected(errCode), isRemoved: true }
}

/** Sent again, not before so many ms; counted when it ends. */
export function retried(retryMs: number): Effect {
  return { retryMs }
}

/** The provider pauses, and all of the batch goes back at once, to wait for the end of the pause. */
export function paused(pausedFor: string): Effect {
  return { pausedFor, retryMs: 0 }
}
