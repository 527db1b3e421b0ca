import { createHash } from 'node:crypto'
import type { RedisClient } from './connect.ts'
import { loadScriptSource } from './script-source.ts'

type Argument = string | number | Buffer

/**
 * Arguments of more characters than this are encoded to bytes here: ioredis would measure texts, join them with all
 * others to one text and encode that.
 */
const LONG_TEXT = 1024

/**
 * A Lua script that is called by its hash. A call may run the script twice; its first lines describe the effect of a
 * second run.
 */
export class Script {
  readonly #source: string
  readonly #sha1: string

  /** @param file the URL of the script (`file:`) @throws Error if the script or one of its includes does not exist */
  constructor(file: URL) {
    this.#source = loadScriptSource(file)
    this.#sha1 = createHash('sha1').update(this.#source).digest('hex')
  }

  /**
   * Runs the script and resolves to its reply: strings as Buffers, tables as arrays. Rejects as other commands of the
   * client do.
   */
  async run(client: RedisClient, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await client.callBuffer('EVALSHA', joinValues(this.#sha1, keys, args))
    } catch (error) {
      // NOSCRIPT means that the server does not have the script: it was restarted, or a replica has taken over.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await client.callBuffer('EVAL', joinValues(this.#source, keys, args))
    }
  }
}

/** The values of a call, in one list: a call for many batches has thousands. */
function joinValues(script: string, keys: readonly string[], args: readonly Argument[]): Argument[] {
  const values: Argument[] = [script, keys.length]
  for (const key of keys) values.push(key)
  for (const arg of args) values.push(encodeLongText(arg))
  return values
}

function encodeLongText(value: Argument): Argument {
  return typeof value === 'string' && value.length > LONG_TEXT ? Buffer.from(value) : value
}
