// Personal and limited pushes compared with plain ones:
//   npm run bench:personal -- [--devices N] [--runs N] [--backend postgresql|redis] [--keep] [--json FILE]
//
// Every device has a meta and a locale. Plain and other sends run in turn, and their medians are compared, with and
// without HTTP/2 requests to an nghttpd on the same machine.
import { parseArgs } from 'node:util'
import { personaliseBatch } from '../src/delivery/personal-notifications.ts'
import { DeviceStore } from '../src/devices/device-store.ts'
import { ByteWriter } from '../src/http2/frames/byte-writer.ts'
import type { Http2Client } from '../src/http2/http2-client.ts'
import { Http2Pool } from '../src/http2/http2-pool.ts'
import { makeLogger } from '../src/observability/log.ts'
import { makeBodyWriter } from '../src/providers/fcm/message-body.ts'
import { loadDevices } from './devices/device-data.ts'
import { median, withSurroundings } from './harness/measure.ts'
import { type Check, printReport, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { withDatabase } from './harness/with-database.ts'
import { startNghttpd } from './peers/nghttpd.ts'
import { contentOf, type Kind, measureSend } from './personal/personal-send.ts'
import { QUEUE_BACKENDS } from './queue/queue-backends.ts'

/** The most that a send may take, as a multiple of a plain send's time. */
const MAX_RATIOS = { personal: 1.5, limited: 2 }
const BATCH = 500
const BODIES = 200_000

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '200000' },
    runs: { type: 'string', default: '5' },
    backend: { type: 'string' },
    ...RESULT_OPTIONS,
  },
})

const logger = makeLogger({ level: 'error', file: '' })
const checks: Check[] = []

/** Measures plain and the other kind in turn: the medians of the microseconds of a target, and their ratio. */
async function compare(
  name: string,
  kind: 'personal' | 'limited',
  measure: (kind: Kind) => Promise<number>,
  isTarget: boolean,
): Promise<void> {
  const { plain, other, ...surroundings } = await withSurroundings(async () => {
    const micros = { plain: [] as number[], other: [] as number[] }
    for (let run = 0; run < Number(values.runs); run++) {
      micros.plain.push(await measure('plain'))
      micros.other.push(await measure(kind))
    }
    return { plain: median(micros.plain), other: median(micros.other) }
  })
  const ratio = other / plain
  const maxRatio = MAX_RATIOS[kind]
  const check: Check = {
    name: `${name}, plain and ${kind}`,
    value: `${plain.toFixed(2)} and ${other.toFixed(2)} µs, ${ratio.toFixed(2)} times`,
    target: isTarget ? `≤ ${maxRatio} times` : '',
    isMet: isTarget ? ratio <= maxRatio : undefined,
    ...surroundings,
  }
  checks.push(check)
  printReport([check])
}

/** Only writes the bodies of requests. @returns the microseconds of one */
async function measureBodies(kind: Kind): Promise<number> {
  const content = contentOf(kind)
  const meta = '{"first_name": "Ada", "last_name": "Lovelace", "plan": "gold", "city": "London"}'
  const more = kind === 'personal' ? `\t\tfr-FR\t\t${meta}` : ''
  const targets = Array.from({ length: BATCH }, (_, place) => ({
    line: `00000000-0000-0000-0000-000000000000\t${'t'.repeat(160)}\tuser:${place}\tandroid${more}`,
    place,
  }))
  const notification = content.notifications.get('fcm')
  if (!notification) throw new Error('the content is for FCM')
  const out = new ByteWriter()
  const start = performance.now()
  for (let from = 0; from < BODIES; from += BATCH) {
    const personal = personaliseBatch(content, 'fcm', targets)
    const tokens = targets.map(({ line }) => line.slice(37, 197))
    const writeBody = makeBodyWriter({ uid: 'bench', notification, targetKind: 'token', targets: tokens, personal })
    for (const { place } of targets) {
      writeBody(place, out)
      out.truncate(0)
    }
  }
  return ((performance.now() - start) * 1000) / BODIES
}

/** Runs `work` with a client that is connected to a sink. */
async function withClient<T>(work: (client: Http2Client) => Promise<T>): Promise<T> {
  const sink = await startNghttpd()
  const client = new Http2Pool({ origin: sink.origin, ca: sink.ca, maxConnections: 8, logger })
  try {
    return await work(client)
  } finally {
    await client.close()
    await sink.stop()
  }
}

await compare('writing a request’s body', 'personal', measureBodies, false)
await withDatabase(logger, async ({ sql, queueSql }) => {
  await loadDevices(sql, Number(values.devices))
  await sql`update devices set
    locale = (array['fr-FR', 'pt-BR', 'en-US', 'de'])[1 + abs(hashtext(token)) % 4],
    meta = jsonb_build_object('first_name', 'Ada', 'last_name', substr(token, 1, 8), 'plan', 'gold', 'city', 'London')`
  await sql`vacuum full devices`
  await sql`vacuum analyze`
  const store = new DeviceStore({ sql, now: Date.now })
  const backends = QUEUE_BACKENDS.filter(({ name }) => values.backend === undefined || name === values.backend)
  if (backends.length === 0) throw new Error(`no backend ${values.backend}`)
  for (const backend of backends) {
    await backend.withQueue({ sql: queueSql, logger }, async ({ queue, rateLimiter }) => {
      const deps = { queue, rateLimiter, store, logger }
      const from = `${backend.name}: from ${values.devices} device rows`
      for (const kind of ['personal', 'limited'] as const) {
        await compare(`${from} to bodies`, kind, (of) => measureSend({ ...deps, client: undefined }, of), false)
        await withClient((client) =>
          compare(`${from} to answers over HTTP/2`, kind, (of) => measureSend({ ...deps, client }, of), true),
        )
      }
    })
  }
})

await writeReport(findResultFile('personal', values), checks)
console.log()
printReport(checks)
