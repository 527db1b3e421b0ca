// Devices imported per second: `centripush import devices FILE` into an empty database, and then the duration of each
// batch in this process.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDeviceImport } from '../../src/cli/bulk/import-kind.ts'
import { openFileSource } from '../../src/cli/bulk/import-source.ts'
import { Progress } from '../../src/cli/bulk/progress.ts'
import { Rejects } from '../../src/cli/bulk/rejects.ts'
import { NO_COUNTS, ResumeState } from '../../src/cli/bulk/resume-state.ts'
import { runImport } from '../../src/cli/bulk/run-import.ts'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import { DeviceStore } from '../../src/devices/device-store.ts'
import { makeEndpointCheck } from '../../src/devices/web-push-endpoint.ts'
import { summarize, time, withSurroundings } from '../harness/measure.ts'
import type { Check } from '../harness/report.ts'

const MIN_DEVICES_PER_SECOND = 15_000
/** Devices of the second import, which times its batches. */
const TIMED_DEVICES = 100_000
const TOPICS = 10_000
const CHUNK_LINES = 5000

interface Place {
  sql: Sql
  dsn: string
}

/** Measures in a new database on the server of `sql`, and removes it afterwards. */
export async function* measureImport({ sql, dsn }: Place, devices: number): AsyncGenerator<Check> {
  const dir = await mkdtemp(join(tmpdir(), 'centripush-bench-import-'))
  const own = new URL(dsn)
  own.pathname = '/bench_import'
  await sql`create database bench_import`
  try {
    yield await measureCommand(dir, own.href, devices)
    yield await measureBatches(dir, own.href, devices)
  } finally {
    await sql`drop database bench_import with (force)`
    await rm(dir, { recursive: true })
  }
}

async function measureCommand(dir: string, dsn: string, devices: number): Promise<Check> {
  const config = join(dir, 'config.json')
  await writeFile(config, JSON.stringify({ database: { enabled: true, postgresql: { dsn } } }))
  const file = await writeDevices(join(dir, 'devices.ndjson'), 0, devices)
  const { elapsedMs, ...surroundings } = await withSurroundings(async () => ({
    elapsedMs: await time(() => runCommand(['import', 'devices', file, '--config', config])),
  }))
  const rate = (1000 * devices) / elapsedMs
  return {
    name: `import devices FILE: ${devices} new ones, one topic each`,
    value: `${rate.toFixed(0)} devices/s (${(elapsedMs / 1000).toFixed(0)} s, start included)`,
    target: `≥ ${MIN_DEVICES_PER_SECOND} devices/s`,
    isMet: rate >= MIN_DEVICES_PER_SECOND,
    ...surroundings,
  }
}

async function runCommand(argv: string[]): Promise<void> {
  const child = spawn(process.execPath, ['bin/centripush.js', ...argv], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`centripush ${argv[0]} exits with ${code}`)
}

/** Imports further devices, from number `first` on. */
async function measureBatches(dir: string, dsn: string, first: number): Promise<Check> {
  const sql = openDatabase({ dsn, maxConnections: 4 })
  const kind = makeDeviceImport(
    new DeviceStore({ sql, now: Date.now }),
    makeEndpointCheck({ allowed_endpoint_origins: [], extra_allowed_endpoint_origins: [] }),
  )
  const source = await openFileSource(await writeDevices(join(dir, 'more.ndjson'), first, TIMED_DEVICES), process.stdin)
  const print = (line: string) => console.error(line)
  const batchesMs: number[] = []
  const cpuBefore = process.cpuUsage()
  const { elapsedMs, ...surroundings } = await withSurroundings(async () => ({
    elapsedMs: await time(async () => {
      await runImport({
        kind: {
          ...kind,
          store: async (items) => {
            const start = performance.now()
            const outcomes = await kind.store(items)
            batchesMs.push(performance.now() - start)
            return outcomes
          },
        },
        source,
        start: source.start,
        counts: NO_COUNTS,
        state: new ResumeState({ file: undefined, source: source.name }),
        rejects: await Rejects.open({ file: undefined, isResumed: false, print }),
        progress: new Progress({ output: process.stderr, noun: 'devices', now: Date.now }),
        signal: new AbortController().signal,
      })
    }),
  }))
  await sql.end()
  const { user, system } = process.cpuUsage(cpuBefore)
  const cpu = `${((user + system) / TIMED_DEVICES).toFixed(0)} µs of the process a device`
  return {
    name: `its batches of ${TIMED_DEVICES / batchesMs.length}, with ${TIMED_DEVICES} devices more`,
    value: `${((1000 * TIMED_DEVICES) / elapsedMs).toFixed(0)} devices/s, ${cpu}`,
    target: '',
    isMet: undefined,
    ...summarize(batchesMs),
    ...surroundings,
  }
}

/** Writes the lines of `count` devices, which follow from their numbers. Resolves to the file's path. */
async function writeDevices(path: string, first: number, count: number): Promise<string> {
  const file = createWriteStream(path)
  for (let from = first; from < first + count; from += CHUNK_LINES) {
    const lines = Array.from({ length: Math.min(CHUNK_LINES, first + count - from) }, (_, at) => makeLine(from + at))
    if (!file.write(lines.join(''))) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
  return path
}

/** A token of 163 bytes, a user of 20 and a topic of 12. */
function makeLine(n: number): string {
  const random = createHash('sha512').update(String(n)).digest()
  const text = random.toString('base64url')
  const token = `${text.slice(0, 22)}:APA91b${text}${text.slice(0, 48)}`
  const user = `user:${String(random.readUInt32LE() % 900_000).padStart(15, '0')}`
  const topics = [`topic:${String(random.readUInt32LE(4) % TOPICS).padStart(6, '0')}`]
  return `${JSON.stringify({ provider: 'fcm', platform: 'android', token, user, topics })}\n`
}
