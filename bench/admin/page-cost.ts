// How much open pages slow down a broadcast, and how often ten of them read the database.
import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../src/database/pool.ts'
import { median, withSurroundings } from '../harness/measure.ts'
import type { Report } from '../harness/report.ts'
import type { Broadcasts } from './broadcasts.ts'
import { readPage } from './page-times.ts'

const OPEN_PAGES = 10
const MAX_COST_PERCENT = 3
/** One reader clicks once in this time, in ms. */
const CLICK_MS = 1000
/** A poll may begin a little early. */
const MAX_READS = 1.2
/** Statistics of sessions arrive about a second late. */
const IDLE_MS = 2000

/**
 * Compares broadcasts without pages with broadcasts during which ten live pages are open and a reader opens another page
 * each second. They alternate, so that both have the same machine and the same tables.
 */
export async function measureCost(
  report: Report,
  { base, paths, broadcasts, pairs }: { base: string; paths: readonly string[]; broadcasts: Broadcasts; pairs: number },
): Promise<void> {
  const alone: number[] = []
  const read: number[] = []
  // Batches of a cancelled broadcast may still be in flight.
  await broadcasts.send()
  const surroundings = await withSurroundings(async () => {
    for (let pair = 0; pair < pairs; pair++) {
      // A B, B A, A B …: a machine that gets slower or faster by itself favors neither.
      const isReadFirst = pair % 2 === 1
      if (isReadFirst) read.push(await withReaders(base, paths, broadcasts.send))
      alone.push(await broadcasts.send())
      if (!isReadFirst) read.push(await withReaders(base, paths, broadcasts.send))
    }
    return {}
  })
  const costs = alone.map((rate, pair) => 100 * (1 - (read[pair] ?? Number.NaN) / rate))
  const cost = median(costs)
  report.add({
    name: `cost for a broadcast of ${OPEN_PAGES} open live pages and a page each second`,
    value:
      `${cost.toFixed(1)} % (median of ${costs.map((percent) => percent.toFixed(1)).join(', ')}); ` +
      `${Math.round(median(alone))} and ${Math.round(median(read))} pushes/s`,
    target: `≤ ${MAX_COST_PERCENT} %`,
    isMet: cost <= MAX_COST_PERCENT,
    ...surroundings,
  })
}

async function withReaders<T>(base: string, paths: readonly string[], measure: () => Promise<T>): Promise<T> {
  const live = openPages(`${base}/events`, OPEN_PAGES)
  const leaving = new AbortController()
  const click = async () => {
    for (let at = 0; !leaving.signal.aborted; at++) {
      await readPage(base + paths[at % paths.length])
      await delay(CLICK_MS, undefined, { signal: leaving.signal }).catch(() => undefined)
    }
  }
  const clicking = click()
  try {
    return await measure()
  } finally {
    leaving.abort()
    await Promise.all([clicking, live.close()])
  }
}

/** Counts how often the counts of the queue are read without, with one and with ten open pages of the queue. */
export async function measurePolls(report: Report, base: string, sql: Sql, seconds: number): Promise<void> {
  const countPerSecond = async (pages: number) => {
    const live = openPages(`${base}/queue/events`, pages)
    await delay(IDLE_MS)
    const before = await countReads(sql)
    await delay(1000 * seconds)
    const after = await countReads(sql)
    await live.close()
    return (after - before) / seconds
  }
  const none = await countPerSecond(0)
  const one = await countPerSecond(1)
  const ten = await countPerSecond(OPEN_PAGES)
  report.add({
    name: `reads of the queue a second for no, one and ${OPEN_PAGES} open pages of the queue`,
    value: `${none.toFixed(1)}, ${one.toFixed(1)} and ${ten.toFixed(1)}`,
    target: '1 for ten pages',
    isMet: ten <= MAX_READS,
  })
}

/** Only the counts of the queue read this table while no push is given up. */
async function countReads(sql: Sql): Promise<number> {
  const [row] = await sql`
    select (seq_scan + coalesce(idx_scan, 0))::float8 as count from pg_stat_user_tables
    where relname = 'push_dead_letters'`
  return Number(row?.count)
}

/** Opens the events of a page several times. */
function openPages(url: string, count: number) {
  const leaving = new AbortController()
  const follow = async () => {
    const answer = await fetch(url, { signal: leaving.signal })
    for await (const _ of answer.body ?? []);
  }
  const pages = Array.from({ length: count }, () => follow().catch(() => undefined))
  return {
    async close() {
      leaving.abort()
      await Promise.all(pages)
    },
  }
}
