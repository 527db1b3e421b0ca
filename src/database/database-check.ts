import type { StoreCheck } from '../observability/store-monitor.ts'
import { DatabaseError } from './database-error.ts'
import { openDatabase, type Sql } from './pool.ts'

const READ_ONLY = '25006'

/** Asks PostgreSQL whether it answers and accepts writes, on a connection of its own. */
export class DatabaseCheck implements StoreCheck {
  readonly #dsn: string
  #sql: Sql

  /** Connects at the first question. */
  constructor(dsn: string) {
    this.#dsn = dsn
    this.#sql = this.#open()
  }

  async ask(): Promise<void> {
    const [row] = await this.#sql<{ isReadOnly: boolean }[]>`
      select current_setting('transaction_read_only') = 'on' as "isReadOnly"`
    if (!row?.isReadOnly) return
    // After a failover, the name of the server has another address.
    this.reconnect()
    throw new DatabaseError('transactions are read-only', READ_ONLY, undefined)
  }

  reconnect(): void {
    void this.#sql.end({ timeout: 0 })
    this.#sql = this.#open()
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 0 })
  }

  #open(): Sql {
    return openDatabase({ dsn: this.#dsn, maxConnections: 1, applicationName: 'centripush check' })
  }
}
