// Topics by name and by the number that the tables have for them.
import * as v from 'valibot'
import type { Queryable, Sql } from '../database/pool.ts'

const Topic = v.object({ id: v.number(), name: v.string() })

/** The numbers of those of `names` that have one. */
export async function selectTopicIds(sql: Queryable, names: readonly string[]): Promise<Map<string, number>> {
  if (names.length === 0) return new Map()
  const rows = await sql`select id, name from topics where name = any(${[...names]}::text[])`
  return new Map(rows.map((row) => v.parse(Topic, row)).map(({ id, name }) => [name, id]))
}

/**
 * The numbers of all of `names`, given to those that had none. Runs outside of the transaction that uses them: a name
 * is only ever added and means nothing by itself, and held to its end two transactions would wait for each other.
 */
export async function ensureTopics(sql: Sql, names: readonly string[]): Promise<Map<string, number>> {
  const known = await selectTopicIds(sql, names)
  const missing = names.filter((name) => !known.has(name)).sort(compare)
  if (missing.length === 0) return known
  await sql`insert into topics (name) select unnest(${missing}::text[]) on conflict (name) do nothing`
  return await selectTopicIds(sql, names)
}

/** The same, without their names. */
export async function ensureTopicIds(sql: Sql, names: readonly string[]): Promise<number[]> {
  return [...(await ensureTopics(sql, names)).values()]
}

/** By code unit: all that counts is that every process inserts in the same order. */
function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
