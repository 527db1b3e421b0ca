import type { Answer } from '../../src/simulators/answer.ts'
import type { Misbehaviour } from '../../src/simulators/faults.ts'
import type { Treatment } from '../../src/simulators/simulated-request.ts'
import type { Settings } from '../faults/backend.ts'

/** The meaning of an answer for a target, by the provider's documentation; `again` needs another attempt. */
export interface Reading {
  end: 'sent' | 'failed' | 'again'
  /** The error code that the metrics name; empty for an accepted push. */
  reason: string
}

/** The options of a misbehaving simulator. */
export interface MisbehaviourOptions {
  misbehaviour: Misbehaviour
  /** Called for each request, with everything the simulator did to it. */
  onTreatment(treatment: Treatment): void
}

/** A running simulator that misbehaves, with the settings and forms that a send to it needs. */
export interface MisbehavingProvider {
  /** Its section under `push_notifications`. */
  settings: Partial<NonNullable<Settings['push_notifications']>>
  /** The field of `recipient` for tokens. */
  recipientField: string
  notification: object
  /** The token of a target. The simulator's record names it `target`. */
  tokenOf(target: string): string
  /** The target of a token, or of a Web Push subscription's endpoint. */
  targetOf(token: string): string
  read(answer: Answer, target: string): Reading
  stop(): Promise<void>
}

/** One of the four providers. */
export interface MisbehaviourCase {
  name: string
  /** The names of all its faults. */
  words: readonly string[]
  /** Targets that the provider refuses by name in a request that succeeds for the others. */
  refused?: readonly string[]
  start(options: MisbehaviourOptions): Promise<MisbehavingProvider>
}

/** The body of an answer as JSON; undefined when it is not JSON. */
export function parseAnswer({ body }: Answer): unknown {
  try {
    return JSON.parse(body)
  } catch {
    // Misbehaving simulators answer with HTML, with 10 MB of noise or with nothing.
    return undefined
  }
}
