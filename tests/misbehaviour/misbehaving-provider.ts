import type { Answer } from '../../src/simulators/answer.ts'
import type { Misbehaviour } from '../../src/simulators/faults.ts'
import type { Treatment } from '../../src/simulators/simulator-server.ts'
import type { Settings } from '../faults/backend.ts'

/** What an answer means for a target, as its provider documents it. 'again': it has to be sent to once more. */
export interface Reading {
  end: 'sent' | 'failed' | 'again'
  /** The code that the metrics name; empty for what was sent. */
  reason: string
}

export interface MisbehaviourOptions {
  misbehaviour: Misbehaviour
  onTreatment(treatment: Treatment): void
}

/** A simulator that misbehaves, and how it is sent to. */
export interface MisbehavingProvider {
  /** Its section under `push_notifications`. */
  settings: Partial<NonNullable<Settings['push_notifications']>>
  /** The field of `recipient` for tokens. */
  recipientField: string
  notification: object
  /** The token of a target, which the simulator knows by `target`. */
  tokenOf(target: string): string
  /** The other way round; a Web Push subscription's endpoint is enough. */
  targetOf(token: string): string
  read(answer: Answer, target: string): Reading
  stop(): Promise<void>
}

/** One of the four. */
export interface MisbehaviourCase {
  name: string
  /** The words of all its faults. */
  words: readonly string[]
  /** Targets that are refused for themselves, in a request that succeeds for the others. */
  refused?: readonly string[]
  start(options: MisbehaviourOptions): Promise<MisbehavingProvider>
}

/** Of an answer whose body is JSON; undefined for everything else. */
export function parseAnswer({ body }: Answer): unknown {
  try {
    return JSON.parse(body)
  } catch {
    // HTML, 10 MB of something, nothing at all.
    return undefined
  }
}
