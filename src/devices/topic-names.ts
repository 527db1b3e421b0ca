// The names of topics and their numbers in the tables.
import * as v from 'valibot'
import type { Queryable, Sql } from '../database/pool.ts'

const Topic = v.object({ id: v.number(), name: v.string() })

/** The numbers of the known topics among `names`. */
export async function selectTopicIds(sql: Queryable, names: readonly string[]): Promise<Map<string, number>> {
  if (names.length === 0) return new Map()
  const rows = await sql`select id, name from topics where name = any(${[...names]}::text[])`
  return new Map(rows.map((row) => v.parse(Topic, row)).map(({ id, name }) => [name, id]))
}

/**
 * The numbers of all `names`; a new name gets one. It must run before the transaction that uses the numbers: in it, the
 * locks of new names would be held to its end, and two transactions could deadlock. Names are never removed, and an
 * unused one does no harm.
 */
export async function ensureTopics(sql: Sql, names: readonly string[]): Promise<Map<string, number>> {
  const known = await selectTopicIds(sql, names)
  const missing = names.filter((name) => !known.has(name)).sort(compare)
  if (missing.length === 0) return known
  await sql`insert into topics (name) select unnest(${missing}::text[]) on conflict (name) do nothing`
  return await selectTopicIds(sql, names)
}

/** The numbers of ensureTopics() without the names. */
export async function ensureTopicIds(sql: Sql, names: readonly string[]): Promise<number[]> {
  return [...(await ensureTopics(sql, names)).values()]
}

/** By code unit. Any order prevents deadlocks, if all processes insert in the same one. */
function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
