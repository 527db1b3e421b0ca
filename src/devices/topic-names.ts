// The names of topics and their numbers in the tables.
import * as v from 'valibot'
import type { Queryable, Sql } from '../database/pool.ts'

const Topic = v.object({ id: v.number(), name: v.string() })

/** Looks up the numbers of `names`; names without a number are left out. */
export async function selectTopicIds(sql: Queryable, names: readonly string[]): Promise<Map<string, number>> {
  if (names.length === 0) return new Map()
  const rows = await sql`select id, name from topics where name = any(${[...names]}::text[])`
  return new Map(rows.map((row) => v.parse(Topic, row)).map(({ id, name }) => [name, id]))
}

/**
 * The numbers of all `names`; a name without a number gets one. Must run before the transaction that uses the numbers:
 * inside it, the locks of new names would be held to the end of the transaction, and two transactions could deadlock.
 * Names are never removed, and an unused name does no harm.
 */
export async function ensureTopics(sql: Sql, names: readonly string[]): Promise<Map<string, number>> {
  const known = await selectTopicIds(sql, names)
  const missing = names.filter((name) => !known.has(name)).sort(compare)
  if (missing.length === 0) return known
  await sql`insert into topics (name) select unnest(${missing}::text[]) on conflict (name) do nothing`
  return await selectTopicIds(sql, names)
}

/** The numbers of all `names`. A name without a number gets one; see ensureTopics(). */
export async function ensureTopicIds(sql: Sql, names: readonly string[]): Promise<number[]> {
  return [...(await ensureTopics(sql, names)).values()]
}

/** Orders names by code unit. All processes insert new names in the same order, which prevents deadlocks. */
function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
