import type { RedisClient } from '../../redis/connect.ts'
import { Script } from '../../redis/script.ts'
import { StoreClock } from '../../timing/store-clock.ts'
import type { QueueKeys } from './keys.ts'

/** The default of `io_timeout` (config/redis.ts). */
const ANSWER_TIMEOUT_MS = 4000
/** The share of a command's time in which Redis executes it. The rest is for the way of the reply. */
const EXECUTION_SHARE = 0.75

const READ_CLOCK = new Script(new URL('lua/read-clock.lua', import.meta.url))

interface Deps {
  client: RedisClient
  keys: QueueKeys
  /** The time in ms after which the client rejects a command without a reply; undefined for four seconds. */
  answerTimeoutMs: number | undefined
}

/**
 * Writes with an answer in time. The client of a call that is answered with an error repeats it, so such a call must
 * not be executed later. A command can't be taken back from a socket or the network, so its script compares the clock
 * of the server with a deadline (lua/refuse-late.lua). If a write is executed in time and its reply is lost, its effect
 * remains.
 */
export class TimedWrites {
  readonly #clock: StoreClock
  readonly #executionMs: number

  constructor({ client, keys, answerTimeoutMs = ANSWER_TIMEOUT_MS }: Deps) {
    this.#clock = new StoreClock({ read: async () => Number(await READ_CLOCK.run(client, [keys.pauses], [])) })
    this.#executionMs = answerTimeoutMs * EXECUTION_SHARE
  }

  /** Runs a write that gives the deadline, in Unix ms by the clock of the server, to its script. */
  async run<T>(write: (deadlineMs: number) => Promise<T>): Promise<T> {
    const deadlineMs = await this.#clock.convert(performance.now() + this.#executionMs)
    try {
      return await write(deadlineMs)
    } catch (error) {
      if (isLate(error)) this.#clock.forget()
      throw error
    }
  }
}

/** Whether a script was refused because its deadline had passed. */
export function isLate(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('LATE')
}
