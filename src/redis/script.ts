import { createHash } from 'node:crypto'
import type { RedisClient } from './connect.ts'
import { loadScriptSource } from './script-source.ts'

type Argument = string | number | Buffer

/** Longer texts are encoded here. ioredis would measure them, join them with all others to one text and encode that. */
const LONG_TEXT = 1024

/** A Lua script, called by its hash. A call may run it twice; its first lines describe the effect of a second run. */
export class Script {
  readonly #source: string
  readonly #sha1: string

  /** @param file the script, a file: URL @throws Error when it or one of its includes does not exist */
  constructor(file: URL) {
    this.#source = loadScriptSource(file)
    this.#sha1 = createHash('sha1').update(this.#source).digest('hex')
  }

  /** Resolves to the script's reply: strings as Buffers, tables as arrays. Rejects as commands of the client do. */
  async run(client: RedisClient, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const values = [...keys, ...args.map(encodeLongText)]
    try {
      return await client.callBuffer('EVALSHA', [this.#sha1, keys.length, ...values])
    } catch (error) {
      // A server that was restarted, or a replica that took over, does not have the script.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await client.callBuffer('EVAL', [this.#source, keys.length, ...values])
    }
  }
}

function encodeLongText(value: Argument): Argument {
  return typeof value === 'string' && value.length > LONG_TEXT ? Buffer.from(value) : value
}
