// Logouts. A session is a signed token, so each server has to know which ones have ended before they expire.
import type { Sql } from '../../database/pool.ts'
import type { Logger } from '../../observability/log.ts'
import type { Session } from './session.ts'

/** The most sessions that are remembered without the database. */
const MAX_REMEMBERED = 10_000

/** The sessions that a logout has ended: in PostgreSQL for all servers, and in memory for this one. */
export class EndedSessions {
  readonly #sql: Sql | undefined
  readonly #logger: Logger
  /** Ids of ended sessions, the one that ended first at the beginning. */
  readonly #remembered = new Set<string>()

  constructor(deps: { sql: Sql | undefined; logger: Logger }) {
    this.#sql = deps.sql
    this.#logger = deps.logger
  }

  /** Ends a session at once for this server. Rejects if it could not be stored for the other ones. */
  async end({ id, endsAt }: Session): Promise<void> {
    this.#remember(id)
    if (!this.#sql) return
    await this.#sql`
      insert into admin_ended_sessions (id, expires_at) values (${id}, to_timestamp(${endsAt}))
      on conflict (id) do nothing`
  }

  /**
   * Whether a session has ended. While PostgreSQL is down, only logouts at this server count: the web UI has to show
   * the outage.
   */
  async has(id: string): Promise<boolean> {
    if (this.#remembered.has(id)) return true
    if (!this.#sql) return false
    try {
      const rows = await this.#sql`select from admin_ended_sessions where id = ${id}`
      if (rows.length > 0) this.#remember(id)
      return rows.length > 0
    } catch (error) {
      this.#logger.debug({ err: error }, 'admin: logouts not read')
      return false
    }
  }

  /** Deletes sessions whose tokens have expired. The caller runs it periodically. */
  async deleteExpired(): Promise<void> {
    if (!this.#sql) return
    await this.#sql`delete from admin_ended_sessions where expires_at < clock_timestamp()`
  }

  #remember(id: string): void {
    this.#remembered.add(id)
    const [oldest] = this.#remembered
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest)
  }
}
