import type { TransactionSql } from 'postgres'
import * as v from 'valibot'
import type { CredentialCache } from './credential-cache.ts'

const Rows = v.tuple([v.object({ value: v.nullable(v.string()) })])

/** Runs `work` in a transaction. */
type RunTransaction = (work: (tx: TransactionSql) => Promise<string>) => Promise<string>

/** The credential cache in PostgreSQL. A renewal locks the row of its credential. */
export class PostgresCredentialCache implements CredentialCache {
  readonly #run: RunTransaction

  constructor(deps: { runTransaction: RunTransaction }) {
    this.#run = deps.runTransaction
  }

  async update(name: string, renew: (stored: string | undefined) => Promise<string>): Promise<string> {
    return this.#run(async (tx) => {
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
