// `centripush serve` as an operator runs it, with its processes and metrics.
import { resolve } from 'node:path'
import { chooseProcesses } from '../../src/processes/choose-processes.ts'
import { type CentripushProcess, startCentripush } from '../../tests/support/centripush-process.ts'
import { readChildren } from '../harness/process-times.ts'
import type { AnalyticsConfig } from './analytics.ts'
import type { PushConfig } from './push-service.ts'

const PROGRAM = resolve(import.meta.dirname, '../../bin/centripush.js')
/** The key of the server's API. */
export const API_KEY = 'bench'

/** The options of a server. */
export interface ServerOptions {
  dsn: string
  push: PushConfig
  /** `worker.processes`; undefined: as many as the default starts for a load. */
  processes: number | undefined
  /** The section of analytics. */
  analytics: AnalyticsConfig
  /** The directory for a CPU profile of each process, written when it ends. */
  profileDir?: string | undefined
}

/** A running server. */
export interface BenchServer {
  url: string
  pid: number
  /** The worker processes, or the server itself without any. */
  workerPids: number[]
  /** The pushes so far: accepted by the provider, and all others. */
  readSent(): Promise<{ sent: number; other: number }>
  stop(): Promise<void>
}

/** Starts a server. At its stop it prints its warnings and errors. */
export async function startServer({
  dsn,
  push,
  processes,
  analytics,
  profileDir,
}: ServerOptions): Promise<BenchServer> {
  const config = {
    http_api: { key: API_KEY },
    database: { postgresql: { dsn } },
    push_notifications: push,
    worker: { processes: processes ?? chooseProcesses() },
    ...analytics,
    log: { level: 'warn' as const },
  }
  const profiled = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const server = await startCentripush(config, { program: [...profiled, PROGRAM] })
  const children = await readChildren(server.pid)
  return {
    url: server.url,
    pid: server.pid,
    workerPids: children.length > 0 ? children : [server.pid],
    readSent: () => readSent(server),
    stop: async () => {
      await server.stop()
      const { stdout, stderr } = server.output
      const said = `${stdout}${stderr}`.split('\n').filter((line) => /"level":(4|5)0/.test(line))
      if (said.length > 0) console.error(said.slice(0, 10).join('\n'))
    },
  }
}

async function readSent({ url }: CentripushProcess): Promise<{ sent: number; other: number }> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const counts = { sent: 0, other: 0 }
  for (const line of text.split('\n')) {
    const count = Number(line.slice(line.lastIndexOf(' ') + 1))
    if (line.startsWith('centrifugo_push_notification_count{')) {
      counts[line.includes('success="true"') ? 'sent' : 'other'] += count
    } else if (line.startsWith('centripush_push_unsent_count{')) counts.other += count
  }
  return counts
}

/** Calls a method of the API. @throws Error without a result */
export async function callApi(url: string, method: string, request: object): Promise<void> {
  const response = await fetch(`${url}/api/${method}`, {
    method: 'POST',
    headers: { 'x-api-key': API_KEY },
    body: JSON.stringify(request),
  })
  const text = await response.text()
  if (response.status !== 200 || !text.startsWith('{"result"')) throw new Error(`${method}: ${response.status} ${text}`)
}
