// API processes serve the ports of a server on more than one core. They answer the server API and pass connections on to
// the node. Everything that is one for the whole server (metrics, health, the web UI, calls of clients, large requests)
// they pass on to their parent. node:cluster distributes connections among them in turn.
//
// States of a process:
//
//   starting ──(report 'ready')──▶ serving ──(unexpected exit)──▶ starting again after RESTART_PAUSE_MS
//   starting ──(report 'failed', before all have served)──▶ the start of the server fails
//   any ──(stop)──▶ stopping ──(exit, or SIGKILL after the grace period)──▶ ended

import type { ChildProcess } from 'node:child_process'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { resolve } from 'node:path'
import * as v from 'valibot'
import { UserError } from '../config/user-error.ts'
import type { Logger } from '../observability/log.ts'
import type { Store, StoreOutage } from '../observability/store-monitor.ts'
import { ChildMetrics, type MetricsOfProcess } from './child-metrics.ts'
import { type ApiOrder, ApiReport } from './messages.ts'

const PROGRAM = resolve(import.meta.dirname, '../../bin/centripush.js')
/** How long to wait before a process is restarted, in ms: a process that fails at its start must not occupy a core. */
const RESTART_PAUSE_MS = 1000
/** How long a process may take to exit, in ms, in addition to the time of its shutdown. */
const EXIT_TIMEOUT_MS = 800

interface Deps {
  count: number
  /** The first order of each process. */
  start: Extract<ApiOrder, { kind: 'start' }>
  logger: Logger
  /** Takes the outages of stores that the processes report. */
  onStoreOutage(store: Store, outage: StoreOutage): void
}

/** Starts, restarts and stops the API processes of a server. */
export class ApiProcesses {
  readonly #deps: Deps
  readonly #running = new Set<ChildProcess>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  readonly #metrics = new ChildMetrics()
  readonly #killAll = () => {
    for (const child of this.#running) child.kill('SIGKILL')
  }
  #isStopping = false
  #onReady = (_urls: string[]) => {}
  #onFailed = (_message: string) => {}

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Starts all processes. Resolves to the URLs of the ports when all serve. @throws UserError when one can't start */
  async start(): Promise<string[]> {
    // After a second signal the server exits immediately, and its processes must not survive it.
    process.once('exit', this.#killAll)
    cluster.setupPrimary({ exec: PROGRAM, args: ['api-process'], serialization: 'advanced' })
    let ready = 0
    const started = new Promise<string[]>((resolveUrls, reject) => {
      this.#onReady = (urls) => {
        ready++
        if (ready === this.#deps.count) resolveUrls(urls)
      }
      this.#onFailed = (message) => reject(new UserError(message))
    })
    for (let index = 0; index < this.#deps.count; index++) this.#fork()
    const urls = await started
    this.#onFailed = () => {}
    return urls
  }

  /** The metrics of the processes, ended ones included. */
  readMetrics(): Promise<MetricsOfProcess[]> {
    return this.#metrics.readAll()
  }

  /** Stops all processes: they accept no more connections, and requests in flight may take `graceMs` to finish. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true
    for (const timer of this.#restarts) clearTimeout(timer)
    await Promise.all([...this.#running].map((child) => stopOne(child, graceMs)))
    process.off('exit', this.#killAll)
  }

  #fork(): void {
    const { process: child } = cluster.fork()
    this.#running.add(child)
    this.#metrics.add(child, (id) => order(child, { kind: 'readMetrics', id }))
    child.on('message', (message) => {
      const report = v.safeParse(ApiReport, message)
      // node:cluster uses the same channel for its own messages.
      if (report.success) this.#onReport(child, report.output)
    })
    // The channel of an ended child fails; its 'exit' event is handled below.
    child.on('error', () => undefined)
    child.once('exit', (code, signal) => {
      this.#running.delete(child)
      if (this.#isStopping) return
      this.#deps.logger.error({ pid: child.pid, code, signal }, 'api process: exited, restarting')
      const timer = setTimeout(() => {
        this.#restarts.delete(timer)
        this.#fork()
      }, RESTART_PAUSE_MS)
      this.#restarts.add(timer)
    })
  }

  #onReport(child: ChildProcess, report: ApiReport): void {
    switch (report.kind) {
      case 'listening':
        order(child, this.#deps.start)
        return
      case 'ready':
        this.#onReady(report.urls)
        return
      case 'failed':
        this.#deps.logger.error({ reason: report.message }, 'api process: start failed')
        this.#onFailed(report.message)
        return
      case 'storeOutage':
        this.#deps.onStoreOutage(report.store, report.outage)
        return
      case 'metrics':
        this.#metrics.onReport(child, report)
        return
    }
  }
}

async function stopOne(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  order(child, { kind: 'stop', graceMs })
  const killTimer = setTimeout(() => child.kill('SIGKILL'), graceMs + EXIT_TIMEOUT_MS)
  await ended
  clearTimeout(killTimer)
}

function order(child: ChildProcess, message: ApiOrder): void {
  // When the channel is closed the process has ended or will end, which the 'exit' event reports.
  if (child.connected) child.send(message, () => undefined)
}
