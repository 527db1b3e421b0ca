// The server under test, with its stores, a node, FCM and the load generator, each in its own process.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import type { Sql } from '../../src/database/pool.ts'
import { chooseProcesses } from '../../src/processes/choose-processes.ts'
import { type CentripushProcess, startCentripush } from '../../tests/support/centripush-process.ts'
import { KillableRedis } from '../../tests/support/killable-redis.ts'
import { type Child, startChild, startChildServer } from '../harness/child.ts'
import { readChildren, readCpuMs, readParent, readTreeCpuMs } from '../harness/process-times.ts'
import { using } from '../harness/teardown.ts'
import { type PushService, startPushService } from '../pipeline/push-service.ts'
import type { QueueName } from '../pipeline/queue-watch.ts'
import { API_KEY } from '../pipeline/server.ts'
import type { CountingSink } from '../sinks/counting-sink.ts'
import { type LoadOrder, LoadReport } from './load-messages.ts'

const NODE_STAND_IN = join(import.meta.dirname, '../realtime/node-stand-in-process.ts')
const BARE_ROUTE = join(import.meta.dirname, 'bare-route-process.ts')
const LOAD = join(import.meta.dirname, 'load-process.ts')
/** The text before the time in a notification. */
const TIME_MARK = '"at":"'
/** A server that compiles its sources at each start takes a minute of CPU. */
const START_TIMEOUT_MS = 180_000
/** The time for the end of work in flight before CPU times are read; more than a tick of proc(5). */
const SETTLE_MS = 50

/** The options of a rig. */
export interface RigOptions {
  queue: QueueName
  dsn: string
  sql: Sql
  /** The directory of the server under test: a checkout, whose `bin/centripush.js` is started. */
  directory: string
  /** Sections of the configuration that are added to that of the benchmark. */
  config: object
  /** `worker.processes`; undefined: as many as the default starts for a load. */
  processes: number | undefined
  /** The directory for a CPU profile of each process, written when it ends. */
  profileDir: string | undefined
}

/** The CPU time of each part in ms. */
export interface CpuTimes {
  api: number
  workers: number
  postgresql: number
  redis: number
  /** The stub of FCM and that of the node. */
  stubs: number
  load: number
  /** The bare route. */
  bare: number
}

/** A running rig. */
export interface Rig {
  queue: QueueName
  sql: Sql
  server: CentripushProcess
  /** The processes of PostgreSQL and, for a queue on Redis, of Redis. */
  storePids: readonly number[]
  sink: CountingSink
  bare: { port: number }
  run(order: LoadOrder): Promise<LoadReport>
  readCpu(): Promise<CpuTimes>
}

/** Starts all parts, runs `work` and stops them. The server makes its tables in the empty database. */
export async function withRig<T>(options: RigOptions, work: (rig: Rig) => Promise<T>): Promise<T> {
  return await using(startPushService('fcm', 'counting', { timeMark: TIME_MARK }), (service) =>
    using(startChildServer(NODE_STAND_IN), (node) =>
      using(startChildServer(BARE_ROUTE), (bare) =>
        using(startLoad(), (load) =>
          using(startRedis(options.queue), ({ redis }) =>
            using(startServer(options, { service, node, redis }), (server) =>
              makeRig(options, { service, node, bare, load, redis, server }).then(work),
            ),
          ),
        ),
      ),
    ),
  )
}

interface Parts {
  service: PushService
  node: Child & { port: number }
  bare: Child & { port: number }
  load: Child
  /** Undefined when the queue is in the database. */
  redis: KillableRedis | undefined
  server: CentripushProcess
}

async function startLoad(): Promise<Child> {
  return startChild(LOAD, [API_KEY])
}

async function startRedis(queue: QueueName) {
  const redis = queue === 'redis' ? await KillableRedis.start() : undefined
  return { redis, stop: async () => void (await redis?.stop()) }
}

async function startServer(
  { queue, dsn, directory, config, processes, profileDir }: RigOptions,
  { service, node, redis }: Pick<Parts, 'service' | 'node' | 'redis'>,
): Promise<CentripushProcess> {
  const profiled = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const section = redis && { address: `127.0.0.1:${redis.port}`, prefix: 'bench' }
  const server = await startCentripush(
    {
      http_api: { key: API_KEY },
      upstream: { address: `http://127.0.0.1:${node.port}` },
      database: { postgresql: { dsn } },
      push_notifications: { ...service.config, queue: { type: queue, ...(section && { redis: section }) } },
      worker: { processes: processes ?? chooseProcesses() },
      log: { level: 'warn' },
      ...config,
    },
    {
      startTimeoutMs: START_TIMEOUT_MS,
      program: [...profiled, join(directory, 'bin/centripush.js')],
      // Not in the configuration, because an older server does not have the section.
      env: { CENTRIPUSH_POSTGRESQL_ANALYTICS_ENABLED: 'false' },
    },
  )
  const stop = async () => {
    const code = await server.stop()
    const lines = `${server.output.stdout}${server.output.stderr}`.split('\n')
    const said = lines.filter((line) => /"level":(4|5)0/.test(line))
    if (said.length > 0) console.error(said.slice(0, 5).join('\n'))
    return code
  }
  return { ...server, stop }
}

async function makeRig({ queue, sql }: RigOptions, parts: Parts): Promise<Rig> {
  const { service, node, bare, load, redis, server } = parts
  if (!service.counting) throw new Error('the stub of FCM does not count')
  const [backend] = await sql`select pg_backend_pid() as pid`
  const postgresPid = await readParent(Number(backend?.pid))
  const sumOf = async (pids: readonly number[]) =>
    (await Promise.all(pids.map(readCpuMs))).reduce((sum, ms) => sum + ms, 0)
  return {
    queue,
    sql,
    server,
    storePids: [postgresPid, ...(redis ? [redis.pid] : [])],
    sink: service.counting,
    bare,
    run: async (order) => {
      load.process.send(order)
      const [report] = await once(load.process, 'message')
      return v.parse(LoadReport, report)
    },
    readCpu: async () => {
      await delay(SETTLE_MS)
      const workers = await findWorkers(server.pid)
      const others = (await readChildren(server.pid)).filter((pid) => !workers.includes(pid))
      return {
        api: await sumOf([server.pid, ...others]),
        workers: await sumOf(workers),
        postgresql: await readTreeCpuMs(postgresPid),
        redis: redis ? await readCpuMs(redis.pid) : 0,
        stubs: await sumOf([service.sink.pid, node.pid]),
        load: await readCpuMs(load.pid),
        bare: await readCpuMs(bare.pid),
      }
    },
  }
}

/** The worker processes of a server. Its other children are processes of the API. */
async function findWorkers(pid: number): Promise<number[]> {
  const children = await readChildren(pid)
  const commands = await Promise.all(
    children.map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')),
  )
  return children.filter((_, index) => commands[index]?.split('\0').includes('worker-process'))
}
