import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster, Redis } from 'ioredis'

/** What scripts run on: one server, one behind Sentinels, or a Cluster. */
export type RedisClient = Redis | Cluster

type Argument = string | number | Buffer

/** Longer texts are made bytes once; ioredis would measure them, join them to one text with all others and encode that. */
const LONG_TEXT = 1024

/** A Lua script, sent once and called by its hash from then on. Every one of them may run twice: see its first lines. */
export class Script {
  readonly #source: string
  readonly #sha1: string

  /** @param name of the file beside this one, without its ending */
  constructor(name: string) {
    this.#source = readFileSync(join(import.meta.dirname, `${name}.lua`), 'utf8')
    this.#sha1 = createHash('sha1').update(this.#source).digest('hex')
  }

  /** Resolves to what the script returns: strings as Buffers, tables as arrays. */
  async run(client: RedisClient, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const values = [...keys, ...args.map(toBytesWhereLong)]
    try {
      return await client.callBuffer('EVALSHA', [this.#sha1, keys.length, ...values])
    } catch (error) {
      // A server that was restarted, or a replica that took over, does not know it.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return await client.callBuffer('EVAL', [this.#source, keys.length, ...values])
    }
  }
}

function toBytesWhereLong(value: Argument): Argument {
  return typeof value === 'string' && value.length > LONG_TEXT ? Buffer.from(value) : value
}

/** Whether Redis refused to write because it is at `maxmemory`. */
function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && /^(OOM|-OOM)|OOM command not allowed/.test(error.message)
}

/** For what was refused because Redis is at `maxmemory`: nothing was written. Other errors are thrown on. */
export function refusedAs(word: string): (error: unknown) => Buffer {
  return (error) => {
    if (isOutOfMemory(error)) return Buffer.from(word)
    throw error
  }
}
