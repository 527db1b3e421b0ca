import type { Availability, Batch, Outcome, Provider, Settle } from '../../src/providers/provider.ts'

/** A provider that settles targets by the script of a test, and records them. */
export class ScriptedProvider implements Provider {
  readonly name = 'fcm'
  /** Set by a test for an outage. */
  availability: Availability | undefined
  /** All targets that were sent, in order. */
  readonly received: string[] = []
  readonly #answer: (target: string, signal: AbortSignal) => Promise<Outcome | undefined>
  readonly #turn: ((target: string) => Promise<unknown>) | undefined

  /** @param turn resolves when a target may be sent. Without it, all targets are sent at once */
  constructor(
    answer: (target: string, signal: AbortSignal) => Promise<Outcome | undefined>,
    turn?: (target: string) => Promise<unknown>,
  ) {
    this.#answer = answer
    this.#turn = turn
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    await Promise.all(
      batch.targets.map(async (target, index) => {
        await this.#turn?.(target)
        if (batch.isWithdrawn?.(index)) return
        this.received.push(target)
        const outcome = await this.#answer(target, signal)
        if (outcome) settle(index, outcome)
      }),
    )
  }

  async close(): Promise<void> {}
}
