import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startCentripush } from '../../tests/support/centripush-process.ts'
import { withSurroundings } from '../harness/measure.ts'
import { findProgram } from '../harness/programs.ts'
import type { Check } from '../harness/report.ts'
import { using } from '../harness/teardown.ts'

const run = promisify(execFile)
const CONNECTIONS = 32
const SECONDS = 20
const WARM_UP_SECONDS = 3
const TARGET_PER_SECOND = 5000
const TARGET_P99_MS = 20
const KEY = 'bench-key'

/** Measures update_push_status at full speed. @param stores ClickHouse by its URL, if it is used */
export async function measureReports(
  name: string,
  { dsn, clickhouse }: { dsn: string; clickhouse: string | undefined },
): Promise<Check> {
  const config = {
    http_api: { key: KEY },
    database: { postgresql: { dsn } },
    log: { level: 'info' as const },
    clickhouse_analytics: {
      enabled: clickhouse !== undefined,
      clickhouse_dsn: clickhouse === undefined ? [] : [clickhouse],
      clickhouse_database: 'centrifugo',
      export: { notifications: { enabled: true } },
    },
  }
  return await using(startCentripush(config), async ({ url }) => {
    await runWrk(url, WARM_UP_SECONDS)
    const { perSecond, p99Ms, ...load } = await withSurroundings(() => runWrk(url, SECONDS))
    const isMet = perSecond >= TARGET_PER_SECOND && p99Ms < TARGET_P99_MS
    return {
      name: `update_push_status from ${CONNECTIONS} connections, ${name}`,
      value: `${perSecond.toFixed(0)} a second`,
      target: clickhouse === undefined ? '' : `≥ ${TARGET_PER_SECOND} a second, p99 < ${TARGET_P99_MS} ms`,
      isMet: clickhouse === undefined ? undefined : isMet,
      p99Ms,
      ...load,
    }
  })
}

/** Sends reports of different devices. @throws Error when an answer is not 200 */
async function runWrk(url: string, seconds: number): Promise<{ perSecond: number; p99Ms: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-wrk-'))
  const script = join(directory, 'reports.lua')
  await writeFile(script, SCRIPT)
  const options = ['-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, '--latency', '-s', script]
  const { stdout } = await run(findProgram('wrk'), [...options, `${url}/api/update_push_status`]).finally(() =>
    rm(directory, { recursive: true }),
  )
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  const [, value, unit = ''] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? []
  if (!(perSecond > 0) || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk: ${stdout}`)
  return { perSecond, p99Ms: Number(value) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN) }
}

const SCRIPT = `
wrk.method = "POST"
wrk.headers["X-API-Key"] = "${KEY}"
wrk.headers["Content-Type"] = "application/json"
local count = 0
request = function()
  count = count + 1
  local device = string.format("01H%023d-fcm", count % 1000000)
  local body = '{"analytics_uid":"a-send","status":"delivered","device_id":"' .. device .. '","msg_id":"a-message"}'
  return wrk.format(nil, nil, nil, body)
end
`
