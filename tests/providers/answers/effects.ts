import type { Answer } from '../../../src/simulators/answer.ts'

/** The expected effect of an answer on its target, its device and the metrics. */
export interface Effect {
  /** The labels of the target in `centrifugo_push_notification_count`; undefined if it is not counted yet. */
  counted?: { success: boolean; errCode: string }
  /** The delay of the retry without jitter, in ms; undefined if there is no retry. */
  retryMs?: number
  /** Whether the device is removed. */
  isRemoved?: boolean
  /** The reason of the pause, if the provider pauses. */
  pausedFor?: string
}

/** One answer of a provider and its expected effect. */
export interface AnswerRow {
  /** The status and the reason, with the words of the provider's reference. */
  what: string
  answer: Answer
  effect: Effect
}

/** The target is counted as sent. */
export const sent: Effect = { counted: { success: true, errCode: '' } }

/** There is no retry, and the device stays. */
export function rejected(errCode: string): Effect {
  return { counted: { success: false, errCode } }
}

/** There is no retry, and the device is removed. */
export function removed(errCode: string): Effect {
  return { ...rejected(errCode), isRemoved: true }
}

/** The target is retried after at least this delay, and not counted before it is finished. */
export function retried(retryMs: number): Effect {
  return { retryMs }
}

/** The provider pauses, and all targets of the batch return to the queue, without delay after the pause. */
export function paused(pausedFor: string): Effect {
  return { pausedFor, retryMs: 0 }
}
