import type { Sql } from 'postgres'
import * as v from 'valibot'
import type { CredentialCache } from './credential-cache.ts'

const Rows = v.tuple([v.object({ value: v.nullable(v.string()) })])

/** Credentials in PostgreSQL: whoever renews one holds a lock on its row. */
export class PostgresCredentialCache implements CredentialCache {
  readonly #sql: Sql

  constructor(deps: { sql: Sql }) {
    this.#sql = deps.sql
  }

  async update(name: string, renew: (stored: string | undefined) => Promise<string>): Promise<string> {
    return this.#sql.begin(async (tx) => {
      await tx`insert into credentials (name) values (${name}) on conflict do nothing`
      const rows = await tx`select value from credentials where name = ${name} for update`
      const [{ value }] = v.parse(Rows, [...rows])
      const renewed = await renew(value ?? undefined)
      if (renewed !== value) {
        await tx`update credentials set value = ${renewed}, stored_at = clock_timestamp() where name = ${name}`
      }
      return renewed
    })
  }
}
