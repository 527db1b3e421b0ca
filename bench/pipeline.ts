// The whole way: npm run bench:pipeline -- [--provider fcm|apns|hms|webpush] [--queue redis|postgresql] [--devices N]
//   [--runs N] [--sink nghttpd|counting] [--delay-ms N] [--processes N] [--profile DIR] [--json FILE]
//
// `send_push_notification` over the real API to a topic, through `centripush serve` as an operator runs it, to a push
// service that takes everything. Database, Redis, server, workers and push service share the machine. The database is
// the embedded one as it comes, Redis has appendonly everysec, analytics are off.
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { PROVIDER_NAMES, type ProviderName } from '../src/config/provider-names.ts'
import type { Sql } from '../src/database/pool.ts'
import { makeLogger } from '../src/observability/log.ts'
import { withSurroundings } from './measure.ts'
import { type Broadcast, runBroadcast } from './pipeline/broadcast.ts'
import { type PushService, startPushService } from './pipeline/push-service.ts'
import { QUEUE_NAMES, type QueueName } from './pipeline/queue-watch.ts'
import { loadSubscribers } from './pipeline/subscribers.ts'
import { withRig } from './pipeline/with-rig.ts'
import { limitTime, using } from './teardown.ts'
import { withDatabase } from './with-database.ts'

/** What is sent first, so that compilers are warm and connections open, as they are in a server that has run a while. */
const WARM_UP_DEVICES = 20_000

const TIMEOUT_MS = 20 * 60_000

const count = v.pipe(v.string(), v.transform(Number), v.integer(), v.minValue(0))
const Options = v.object({
  provider: v.optional(v.array(v.picklist(PROVIDER_NAMES)), ['fcm']),
  queue: v.optional(v.array(v.picklist(QUEUE_NAMES)), [...QUEUE_NAMES]),
  devices: v.optional(count, '1000000'),
  runs: v.optional(count, '3'),
  sink: v.optional(v.picklist(['nghttpd', 'counting'])),
  'delay-ms': v.optional(count, '0'),
  processes: v.optional(count),
  profile: v.optional(v.string()),
})

const { values } = parseArgs({
  options: {
    provider: { type: 'string', multiple: true },
    queue: { type: 'string', multiple: true },
    devices: { type: 'string' },
    runs: { type: 'string' },
    sink: { type: 'string' },
    'delay-ms': { type: 'string' },
    processes: { type: 'string' },
    profile: { type: 'string' },
  },
})
const options = v.parse(Options, values)
const logger = makeLogger({ level: 'error', file: '' })

async function measure(sql: Sql, dsn: string, provider: ProviderName, queue: QueueName, service: PushService) {
  const rigOptions = { sql, dsn, provider, queue, service, processes: options.processes, profileDir: options.profile }
  await withRig(rigOptions, async (rig) => {
    await runBroadcast(rig, `warm:${provider}`, WARM_UP_DEVICES)
    for (let run = 0; run < options.runs; run++) {
      const broadcast = await withSurroundings(() => runBroadcast(rig, `all:${provider}`, options.devices))
      print(provider, queue, broadcast)
    }
  })
}

function print(
  provider: ProviderName,
  queue: QueueName,
  broadcast: Broadcast & { stealPercent: number; loadAverage: number },
) {
  const { perSecond, cpuMicros, memory, stealPercent, loadAverage } = broadcast
  const shares = Object.entries(cpuMicros).map(([name, micros]) => `${name} ${micros.toFixed(1)}`)
  const megabytes = memory.map(({ first, last }) => `${Math.round(first / 2 ** 20)}→${Math.round(last / 2 ** 20)}`)
  console.log(
    `${provider} ${queue}: ${Math.round(perSecond)}/s, µs: ${shares.join(', ')}; MB ${megabytes.join(' ')}; ` +
      `steal ${stealPercent.toFixed(1)} %, load ${loadAverage.toFixed(1)}`,
  )
}

limitTime(TIMEOUT_MS)
await withDatabase(logger, async (sql, dsn) => {
  for (const provider of options.provider) {
    const kind = options.sink ?? (provider === 'apns' || options['delay-ms'] > 0 ? 'counting' : 'nghttpd')
    await using(startPushService(provider, kind, { delayMs: options['delay-ms'] }), async (service) => {
      await loadSubscribers(sql, `warm:${provider}`, provider, WARM_UP_DEVICES, service.sink.origin)
      await loadSubscribers(sql, `all:${provider}`, provider, options.devices, service.sink.origin)
      for (const queue of options.queue) await measure(sql, dsn, provider, queue, service)
    })
  }
})
