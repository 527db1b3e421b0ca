// Commits the pages of small sends in groups: many scheduled sends may be due in the same second.
import * as v from 'valibot'
import { mayBeOfOneCall } from '../../database/error-of-one-call.ts'
import type { Sql } from '../../database/pool.ts'
import { GroupedCalls } from '../../timing/grouped-calls.ts'
import type { CommitResult } from '../send.ts'
import { countPage } from '../stored-report.ts'
import type { WalkedPage } from '../walked-page.ts'
import { insertBatchesOfSends } from './new-batches.ts'
import { countOpenBatches } from './open-batches.ts'
import { addCounts, encodeCounts } from './report-counts.ts'
import { FANNED, FANNING } from './states.ts'
import { isCommitted } from './walk-statements.ts'

/** The most pages that one statement commits. */
const MAX_TOGETHER = 64
/** While PostgreSQL writes the commit of one statement to disk, it executes the other. */
const MAX_RUNNING = 2
/** Groups the commits of pages for which isOnlySmallPage() is true. */
export function groupPageCommits(sql: Sql): GroupedCalls<WalkedPage, CommitResult> {
  return new GroupedCalls({
    maxTogether: MAX_TOGETHER,
    maxRunning: MAX_RUNNING,
    keyOf: ({ claim }) => claim.uid,
    mayBeOfOneCall,
    run: (group) => insertPages(sql, group),
  })
}

const Moved = v.object({ uid: v.string() })

/** Stores the batches of pages and ends their walks, each unless its claim is lost. */
async function insertPages(sql: Sql, pages: readonly WalkedPage[]): Promise<CommitResult[]> {
  const rows = await sql`
    with given as materialized (
      select * from unnest(
        ${pages.map(({ claim }) => claim.uid)}::text[], ${pages.map(({ claim }) => claim.fence)}::bigint[],
        ${pages.map(({ page }) => page.batches.length)}::integer[],
        ${pages.map(({ page }) => encodeCounts(countPage(page)))}::text[]
      ) as g (uid, fence, opened, counts)
    ), locked as materialized (
      select s.uid from push_sends s join given g on s.uid = g.uid and s.fence = g.fence
      where s.state = ${FANNING} and s.cursor is null
      order by s.uid for update of s
    ), moved as (
      update push_sends as s set
        claimable_at = null, counts = ${addCounts(sql, sql`g.counts::jsonb`)},
        ${countOpenBatches(sql, {
          opened: sql`g.opened`,
          hasDeadLetters: sql`s.has_dead_letters`,
          state: sql`${FANNED}::smallint`,
          recipient: sql`case when s.has_ranges then s.recipient end`,
        })}
      from given g join locked using (uid)
      where s.uid = g.uid
      returning s.uid
    ), written as (
      ${insertBatchesOfSends(
        sql,
        pages.map(({ claim, page }) => ({ send: claim, page })),
        'moved',
      )}
    )
    select uid from moved`
  const moved = new Set(rows.map((row) => v.parse(Moved, row).uid))
  return await Promise.all(
    pages.map(async ({ claim, page }) =>
      moved.has(claim.uid) || (await isCommitted(sql, claim, page)) ? 'committed' : 'lost',
    ),
  )
}
