// The SQL that pauses and resumes providers.
import * as v from 'valibot'
import { PROVIDER_NAMES, type ProviderName } from '../../config/provider-names.ts'
import { type CallDeadline, isInTime } from '../../database/call-deadline.ts'
import type { Sql } from '../../database/pool.ts'
import type { Pause } from '../queue.ts'

const StoredPause = v.object({
  provider: v.picklist(PROVIDER_NAMES),
  reason: v.string(),
  probe_in_ms: v.nullable(v.number()),
})

/**
 * Pauses a provider. A pause without probes, which an operator sets, is not replaced by one with probes, which a worker
 * sets.
 */
export async function upsertPause(
  sql: Sql,
  { provider, reason, probeEveryMs }: { provider: ProviderName; reason: string; probeEveryMs: number | undefined },
  deadline: CallDeadline,
): Promise<void> {
  const deadlineMs = await deadline.toDatabaseTime()
  const everyMs = probeEveryMs === undefined ? null : Math.ceil(probeEveryMs)
  await sql`
    insert into push_pauses as p (provider, reason, probe_at, probe_every_ms)
    values (${provider}, ${reason}, clock_timestamp() + ${everyMs}::bigint * interval '1 ms', ${everyMs})
    on conflict (provider) do update
      set reason = excluded.reason, probe_at = excluded.probe_at, probe_every_ms = excluded.probe_every_ms
      where p.probe_at is not null
    returning ${isInTime(sql, deadlineMs)}`
}

/** Ends the pause of a provider. */
export async function deletePause(sql: Sql, provider: ProviderName, deadline: CallDeadline): Promise<void> {
  const deadlineMs = await deadline.toDatabaseTime()
  await sql`delete from push_pauses where provider = ${provider} returning ${isInTime(sql, deadlineMs)}`
}

/** Reads the paused providers. */
export async function selectPauses(sql: Sql): Promise<Pause[]> {
  const rows = await sql`
    select provider, reason,
      (extract(epoch from probe_at - clock_timestamp()) * 1000)::float8 as probe_in_ms
    from push_pauses order by provider`
  return rows.map((row) => {
    const { provider, reason, probe_in_ms } = v.parse(StoredPause, row)
    return { provider, reason, probeInMs: probe_in_ms === null ? undefined : Math.max(0, probe_in_ms) }
  })
}
