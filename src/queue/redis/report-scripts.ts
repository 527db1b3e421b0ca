// Runs the Lua scripts of reports. The report of a send is a hash, and the index of reports a sorted set.
import * as v from 'valibot'
import { Script } from '../../redis/script.ts'
import { MAX_EXAMINED_REPORTS } from '../limits.ts'
import {
  REPORT_STATES,
  ReportCursorError,
  type ReportFilter,
  type ReportPage,
  type SendReport,
  type StatusCount,
} from '../report.ts'
import { decodeCount, decodeSubject } from '../stored-report.ts'
import { MAX_REPORTS } from './limits.ts'
import type { Scope } from './scope.ts'

const LOAD_REPORT = new Script(new URL('lua/load-report.lua', import.meta.url))
const LIST_REPORTS = new Script(new URL('lua/list-reports.lua', import.meta.url))
const COUNT_STATUSES = new Script(new URL('lua/count-statuses.lua', import.meta.url))
const TRIM_REPORTS = new Script(new URL('lua/trim-reports.lua', import.meta.url))

/** The most reports that one script reads, so that it blocks Redis for a few ms at most. */
const READ_AT_ONCE = 1000

const text = v.pipe(
  v.instance(Buffer),
  v.transform((bytes) => bytes.toString()),
)
const Found = v.tuple([text, v.pipe(text, v.picklist(REPORT_STATES)), v.array(text)])
type Found = v.InferOutput<typeof Found>
const Page = v.tupleWithRest([text, text], Found)
const Trimmed = v.tuple([v.number(), v.number()])

/** Loads the report of a send; undefined if it is unknown. */
export async function loadReport({ client, keys }: Scope, uid: string): Promise<SendReport | undefined> {
  const reply = await LOAD_REPORT.run(client, [keys.report(uid)], [uid])
  const [found] = v.parse(
    v.union([
      v.pipe(
        Found,
        v.transform((each) => [each]),
      ),
      v.tuple([]),
    ]),
    reply,
  )
  return found && readReport(found)
}

/** Lists reports, see Queue.listReports(). @throws ReportCursorError */
export async function listReports(
  { client, keys }: Scope,
  filter: ReportFilter,
  limit: number,
  cursor: string | undefined,
): Promise<ReportPage> {
  const { states, uidPrefix = '', acceptedFromMs, acceptedToMs } = filter
  const first = acceptedFromMs ?? '-inf'
  const start = acceptedToMs === undefined ? '+inf' : `(${acceptedToMs}`
  let [latest, after] = cursor === undefined ? [start, ''] : parseCursor(cursor)
  const reports: SendReport[] = []
  for (let read = 0; read < MAX_EXAMINED_REPORTS; read += READ_AT_ONCE) {
    const stateList = states ? ` ${states.join(' ')} ` : ''
    const args = [keys.reportPrefix, latest, after, first, uidPrefix, stateList, limit - reports.length, READ_AT_ONCE]
    const [nextLatest, nextAfter, ...found] = v.parse(
      Page,
      await LIST_REPORTS.run(client, [keys.reports, keys.scheduled], args),
    )
    reports.push(...found.map(readReport))
    if (nextAfter === '') return { reports, nextCursor: undefined }
    latest = nextLatest
    after = nextAfter
    if (reports.length === limit) break
  }
  return { reports, nextCursor: `${latest} ${after}` }
}

/** Adds apps' reports to the reports of sends. */
export async function countStatuses({ client, keys }: Scope, counts: readonly StatusCount[]): Promise<void> {
  const args = counts.flatMap(({ delivered, interacted }) => [delivered, interacted])
  await COUNT_STATUSES.run(
    client,
    counts.map(({ uid }) => keys.report(uid)),
    args,
  )
}

/**
 * Removes expired reports from the index, and deletes reports of ended sends above MAX_REPORTS.
 * @param keepMs how long each report is kept after the end of its send
 */
export async function trimReports({ client, keys }: Scope, keepMs: number, maxReports = MAX_REPORTS): Promise<void> {
  let from = 0
  let mayHaveMore = 1
  while (mayHaveMore === 1) {
    const args = [keys.reportPrefix, from, READ_AT_ONCE, maxReports, keepMs]
    const [kept, more] = v.parse(Trimmed, await TRIM_REPORTS.run(client, [keys.reports], args))
    from += kept
    mayHaveMore = more
  }
}

function parseCursor(cursor: string): [latest: string, after: string] {
  const [, latest, after] = /^(\d{1,14}) (.+)$/s.exec(cursor) ?? []
  if (latest === undefined || after === undefined) throw new ReportCursorError('not a cursor of reports')
  return [latest, after]
}

function readReport([uid, state, list]: Found): SendReport {
  const fields = new Map(list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? '']] : [])))
  const time = (name: string) => (fields.get(name) ? Number(fields.get(name)) : undefined)
  const subject = fields.get('subject')
  return {
    uid,
    analyticsUid: fields.get('analytics') ?? uid,
    state,
    subject: subject === undefined ? undefined : decodeSubject(subject),
    acceptedAtMs: time('accepted') ?? 0,
    sendAtMs: time('send'),
    expireAtMs: time('expire'),
    firstAtMs: time('first'),
    lastAtMs: time('last'),
    endedAtMs: time('ended'),
    counts: [...fields].flatMap(([name, count]) => decodeCount(name, Number(count)) ?? []),
    delivered: Number(fields.get('delivered') ?? 0),
    interacted: Number(fields.get('interacted') ?? 0),
  }
}
