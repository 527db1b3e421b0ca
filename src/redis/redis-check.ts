import type { StoreCheck } from '../observability/store-monitor.ts'
import type { RedisClient } from './connect.ts'

/** Asks Redis whether it accepts writes, on a connection of its own. */
export class RedisCheck implements StoreCheck {
  readonly #client: RedisClient
  readonly #key: string

  /**
   * @param deps.client a connection without other uses; `close` closes it
   * @param deps.prefix the beginning of the keys of the queue. The user may have no access to others.
   */
  constructor(deps: { client: RedisClient; prefix: string }) {
    this.#client = deps.client
    // In the slot of the queue, in a Cluster. Nothing ever makes this key.
    this.#key = `${deps.prefix}{queue}:check`
  }

  /** LPUSHX on a missing key writes nothing, and is refused in each case in which Redis refuses a write. */
  async ask(): Promise<void> {
    await this.#client.lpushx(this.#key, '')
  }

  reconnect(): void {
    this.#client.disconnect(true)
  }

  async close(): Promise<void> {
    this.#client.disconnect()
  }
}
