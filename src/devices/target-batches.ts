// A page of devices as the batches of a queue that is in the same database, which takes them from there: what pageTargets()
// reads, parted by provider and size, for a statement that writes it.
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'
import type { Fragment, Sql } from '../database/pool.ts'
import { encodeProvider } from './codes.ts'
import { type DeviceFilter, resolveFilter } from './device-filter.ts'
import { FIRST_UUID } from './device-id.ts'
import { walkDevices } from './device-walk.ts'
import { type TargetColumn, writeLine } from './target-line.ts'

export interface BatchedPage {
  /** The most devices that the page has. */
  limit: number
  /** The most that one batch of a provider has; of a provider that is missing all are in one. */
  batchSizes: ReadonlyMap<ProviderName, number>
  /** What of its devices the send uses besides what every line has. */
  used: readonly TargetColumn[]
}

/**
 * Resolves to a query, boxed because by itself it is a promise that would run. Its rows are the
 * batches of a page: `provider` (its name), `count`, `lines` (text, as of pageTargets()) and `last`, the uuid of the batch's
 * last device as text: the next page starts behind the greatest of them. To undefined when no device can match.
 * @param after that of the page before; undefined for the first page
 */
export async function selectTargetBatches(
  sql: Sql,
  filter: DeviceFilter,
  after: string | undefined,
  { limit, batchSizes, used }: BatchedPage,
): Promise<{ query: Fragment } | undefined> {
  const conditions = await resolveFilter(sql, filter)
  if (!conditions) return undefined
  const columns = sql`d.id, d.provider, ${writeLine(sql, used)} as line`
  const page = walkDevices(sql, columns, { conditions, afterUuid: after ?? FIRST_UUID, limit })
  const names = PROVIDER_NAMES.map((name) => sql`when ${encodeProvider(name)} then ${name}`)
  const sizes = PROVIDER_NAMES.map(
    (name) => sql`when ${encodeProvider(name)} then ${batchSizes.get(name) ?? limit}::int`,
  )
  const query = sql`
    select case numbered.provider ${join(sql, names)} end as provider, count(*) as count,
      string_agg(numbered.line, E'\n') as lines, max(numbered.id::text) as last
    from (
      select page.*, (row_number() over (partition by page.provider order by page.id) - 1)
        / case page.provider ${join(sql, sizes)} end as part
      from (${page}) as page
    ) as numbered
    group by numbered.provider, numbered.part`
  return { query }
}

function join(sql: Sql, branches: readonly Fragment[]): Fragment {
  return branches.reduce((all, branch) => sql`${all} ${branch}`)
}
