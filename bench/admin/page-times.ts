// How long pages take while a broadcast is sent.
import * as v from 'valibot'
import { TOPICS, USERS } from '../devices/device-data.ts'
import { summarize, time, withSurroundings } from '../harness/measure.ts'
import type { Report } from '../harness/report.ts'

const MAX_P50_MS = 300
const MAX_P99_MS = 1000

const Listed = v.object({ result: v.object({ items: v.array(v.object({ id: v.string() })) }) })

/** All pages, each with the largest list that it has. @param uid a broadcast that is sent */
export async function listPages(url: string, uid: string): Promise<string[]> {
  const answer = await fetch(`${url}/api/device_list`, { method: 'POST', body: JSON.stringify({ limit: 1 }) })
  const [device] = v.parse(Listed, await answer.json()).result.items
  return [
    '',
    '/sends',
    `/sends?uid=${uid}&state=active`,
    `/send?uid=${uid}`,
    `/explain?uid=${uid}&user=${USERS.one}`,
    '/new-push',
    '/devices',
    `/devices?topic=${TOPICS.rare}`,
    `/devices?user=${USERS.one}`,
    `/devices/${device?.id}`,
    '/removed-devices?provider=fcm&hours=168',
    '/topics',
    `/topics?topic=${TOPICS.all}`,
    `/topics?topic=${TOPICS.rare}&total=1`,
    '/queue',
    '/analytics?range=24h',
    '/analytics?range=7d',
    '/configuration?shows=all',
    '/actions',
  ]
}

/** Requests all pages in turn, `rounds` times, and adds the times of each to the report. */
export async function measurePages(report: Report, base: string, paths: readonly string[], rounds: number) {
  const durations = new Map(paths.map((path) => [path, [] as number[]]))
  const surroundings = await withSurroundings(async () => {
    for (let round = 0; round < rounds; round++) {
      for (const path of paths) durations.get(path)?.push(await time(() => readPage(base + path)))
    }
    return {}
  })
  for (const [path, ofPage] of durations) {
    const { p50Ms, p99Ms } = summarize(ofPage)
    report.add({
      name: `page ${path === '' ? '/' : path}`,
      value: `${p50Ms.toFixed(0)} ms`,
      target: `p50 ≤ ${MAX_P50_MS} ms, p99 ≤ ${MAX_P99_MS} ms`,
      isMet: p50Ms <= MAX_P50_MS && p99Ms <= MAX_P99_MS,
      p50Ms,
      p99Ms,
      ...surroundings,
    })
  }
}

/** Requests a page and reads it. @throws Error unless it is shown */
export async function readPage(url: string): Promise<void> {
  const answer = await fetch(url)
  await answer.text()
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
}
