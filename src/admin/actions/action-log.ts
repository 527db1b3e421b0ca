// The log of actions: every change by the admin web UI, with the role, the address and the time. A row is stored before
// its action begins, so no action is missing, and gets its outcome afterwards.
import * as v from 'valibot'
import type { Sql } from '../../database/pool.ts'
import type { Logger } from '../../observability/log.ts'
import type { AdminRole } from '../auth/session.ts'

/** The person behind an action. */
export interface Actor {
  /** Empty before a login. */
  role: AdminRole | ''
  /** The name at the identity provider; empty before a login and for passwords. */
  person: string
  address: string
  requestId: string
}

/** Something that a person does. Its texts have no token and no payload. */
export interface Action {
  /** A verb and its object, such as `remove device`. */
  action: string
  /** The uid, id or name of the object; empty if the action has none. */
  target: string
  detail?: string
}

/** A stored action. */
export interface StoredAction extends Required<Action> {
  id: string
  /** Unix time in ms. */
  atMs: number
  role: string
  person: string
  address: string
  requestId: string
  /** Empty while the action runs, and if its process was killed. */
  outcome: string
}

const MAX_TEXT = 1000
const KEPT_DAYS = 365

const Row = v.object({
  id: v.string(),
  at: v.date(),
  role: v.string(),
  person: v.string(),
  address: v.string(),
  request_id: v.string(),
  action: v.string(),
  target: v.string(),
  detail: v.string(),
  outcome: v.string(),
})

/** The log of actions in PostgreSQL and in the log of the server. Without a database it is only in the latter. */
export class ActionLog {
  readonly #sql: Sql | undefined
  readonly #logger: Logger

  constructor(deps: { sql: Sql | undefined; logger: Logger }) {
    this.#sql = deps.sql
    this.#logger = deps.logger
  }

  /** Whether list() can find anything. */
  get isStored(): boolean {
    return this.#sql !== undefined
  }

  /**
   * Runs an action and logs it with its outcome. If it can't be logged, it is not run. Resolves to the result of `run`.
   * @param describe the outcome in a few words; `done` unless given
   */
  async run<T>(actor: Actor, action: Action, run: () => Promise<T>, describe?: (result: T) => string): Promise<T> {
    const id = await this.#begin(actor, action)
    try {
      const result = await run()
      await this.#end(id, actor, action, describe?.(result) ?? 'done')
      return result
    } catch (error) {
      await this.#end(id, actor, action, `failed: ${error instanceof Error ? error.message : 'unknown'}`)
      throw error
    }
  }

  /** Logs something that has happened, such as a login. */
  async note(actor: Actor, action: Action, outcome: string): Promise<void> {
    await this.#end(await this.#begin(actor, action), actor, action, outcome)
  }

  /** Lists up to `limit` actions, the newest first. @param before the id of the last action of the previous page */
  async list(limit: number, before: string | undefined): Promise<StoredAction[]> {
    if (!this.#sql) return []
    const isBefore = before === undefined ? this.#sql`true` : this.#sql`id < ${before}::bigint`
    const rows = await this.#sql`select * from admin_actions where ${isBefore} order by id desc limit ${limit}`
    return rows.map((row) => {
      const { at, request_id: requestId, ...action } = v.parse(Row, row)
      return { ...action, requestId, atMs: at.getTime() }
    })
  }

  /** Deletes actions that are a year old. The caller runs it periodically. */
  async deleteOld(): Promise<void> {
    if (!this.#sql) return
    await this.#sql`delete from admin_actions where at < clock_timestamp() - ${KEPT_DAYS} * interval '1 day'`
  }

  async #begin({ role, person, address, requestId }: Actor, { action, target, detail = '' }: Action): Promise<string> {
    const texts = [target, detail].map((text) => text.slice(0, MAX_TEXT))
    const [row] = this.#sql
      ? await this.#sql`
        insert into admin_actions (role, person, address, request_id, action, target, detail)
        values (${role}, ${person}, ${address}, ${requestId}, ${action}, ${texts[0] ?? ''}, ${texts[1] ?? ''}) returning id`
      : []
    return row ? v.parse(v.object({ id: v.string() }), row).id : ''
  }

  async #end(id: string, actor: Actor, action: Action, outcome: string): Promise<void> {
    this.#logger.info({ ...actor, ...action, outcome }, 'admin: action')
    if (this.#sql && id !== '') {
      await this.#sql`update admin_actions set outcome = ${outcome.slice(0, MAX_TEXT)} where id = ${id}::bigint`
    }
  }
}
