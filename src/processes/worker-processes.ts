// Worker processes use more than one core. Like workers on other machines, they find their work in the queue. This
// class starts them, restarts them when they end unexpectedly, reads their metrics and stops them. One additional
// process handles only small sends, so that broadcasts never delay these.
//
// States of a process:
//
//   starting ──(report 'ready')──▶ working ──(unexpected exit)──▶ starting again after RESTART_PAUSE_MS
//   starting ──(the system refuses another process)──▶ starting again after RESTART_PAUSE_MS
//   any ──(stop)──▶ stopping ──(exit, or SIGKILL after the grace period)──▶ ended
//
// After `stop` they can be started again.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import * as v from 'valibot'
import type { Config } from '../config/schema.ts'
import type { Logger } from '../observability/log.ts'
import { mergeHealth, type ProviderHealth } from '../observability/provider-health.ts'
import type { Store, StoreOutage } from '../observability/store-monitor.ts'
import { type Duty, LANES } from '../queue/lane.ts'
import { ChildMetrics, type MetricsOfProcess } from './child-metrics.ts'
import { type Order, Report } from './messages.ts'
import { setNiceness } from './set-niceness.ts'

const PROGRAM = resolve(import.meta.dirname, '../../bin/centripush.js')
/**
 * Options of V8 for worker processes. The garbage of a broadcast is mostly socket buffers outside the heap, while about
 * 20 MB in the heap are live. With its defaults V8 lets memory grow to many times of that. The growth of the heap is
 * not limited further: then V8 would mark the whole heap ten times a second, on threads that profiles do not show. The
 * young generation is smaller than the default of 16 MB, because its collection also frees those buffers.
 */
const HEAP_OPTIONS = ['--heap-growing-percent=200', '--max-semi-space-size=8']
/**
 * The same for the process for small sends. Each send is many small objects, and each collection of the young
 * generation copies those of all sends in flight. So there are few collections.
 */
const SMALL_HEAP_OPTIONS = ['--heap-growing-percent=200', '--max-semi-space-size=32']
/**
 * The niceness (see nice(1)) of a process that sends broadcasts. Broadcasts use all CPU time that is left, so small
 * sends, the API and proxied requests come first.
 */
const BROADCAST_NICENESS = 10
/** How long to wait before a process is restarted, in ms: a process that fails at its start must not occupy a core. */
const RESTART_PAUSE_MS = 1000
/** How long a process may take to exit, in ms, in addition to the time of its shutdown. */
const EXIT_TIMEOUT_MS = 800

interface Deps {
  /** The configuration of the worker processes. It contains the DSN of a database with an up-to-date schema. */
  config: Config
  /** The number of processes for all sends. The one for small sends is not counted. */
  count: number
  logger: Logger
  /** A process has a load. */
  onLoad(): void
  /** A process has ended unexpectedly. It is started again. */
  onExit(): void
  /** Takes the outages of stores that the processes report. */
  onStoreOutage(store: Store, outage: StoreOutage): void
}

const SMALL: Duty = { lanes: ['small'], fallbackLanes: [] }
/**
 * The duty of a process for all sends. It serves small sends too, in case the process for them is overloaded or
 * restarting.
 */
const ALL: Duty = { lanes: LANES, fallbackLanes: SMALL.lanes }

interface Running {
  child: ChildProcess
  duty: Duty
  isReady: boolean
  /** The state of the providers for it. */
  health: ProviderHealth
}

/** Starts, restarts and stops the worker processes of a server. */
export class WorkerProcesses {
  readonly #deps: Deps
  readonly #running = new Set<Running>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  readonly #metrics = new ChildMetrics()
  readonly #killAll = () => {
    for (const { child } of this.#running) child.kill('SIGKILL')
  }
  #isStopping = false
  #onReady = () => {}

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Starts all processes; it does not wait until they are ready. */
  start(): void {
    // After a second signal the server exits immediately. Its worker processes are killed then: they must not survive
    // it.
    process.once('exit', this.#killAll)
    this.#isStopping = false
    for (let index = 0; index < this.#deps.count; index++) this.#spawn(ALL)
    this.#spawn(SMALL)
  }

  /** Whether at least one process for all sends runs, and its queue accepts claims. */
  get isReady(): boolean {
    return [...this.#running].some(({ isReady, duty }) => isReady && duty === ALL)
  }

  /** Resolves to true when a process for all sends and the one for small sends work, or to false at `stop`. */
  async whenReady(): Promise<boolean> {
    const isWorking = (duty: Duty) => [...this.#running].some((running) => running.isReady && running.duty === duty)
    while (!this.#isStopping && !(isWorking(ALL) && isWorking(SMALL))) {
      await new Promise<void>((resolveReady) => {
        this.#onReady = resolveReady
      })
    }
    return !this.#isStopping
  }

  /** The state of the providers for all processes. */
  readHealth(): ProviderHealth {
    return mergeHealth([...this.#running].map(({ health }) => health))
  }

  /** The metrics of the worker processes, ended ones included. */
  readMetrics(): Promise<MetricsOfProcess[]> {
    return this.#metrics.readAll()
  }

  /** Stops all worker processes. Batches in flight may take `graceMs` to finish. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true
    this.#onReady()
    for (const timer of this.#restarts) clearTimeout(timer)
    this.#restarts.clear()
    await Promise.all([...this.#running].map((running) => this.#stopOne(running, graceMs)))
    process.off('exit', this.#killAll)
  }

  #spawn(duty: Duty): void {
    try {
      this.#fork(duty)
    } catch (error) {
      this.#startLater(duty, { err: error }, 'worker process: not started, trying again')
    }
  }

  #fork(duty: Duty): void {
    const child = fork(PROGRAM, ['worker-process'], {
      serialization: 'advanced',
      execArgv: [...process.execArgv, ...(duty === SMALL ? SMALL_HEAP_OPTIONS : HEAP_OPTIONS)],
      // A process group of its own: Ctrl-C in a terminal reaches only the server, which orders its processes to stop.
      detached: true,
    })
    if (duty === ALL) setNiceness(child, BROADCAST_NICENESS)
    const running: Running = { child, duty, isReady: false, health: { down: [], credentials: {} } }
    this.#running.add(running)
    this.#metrics.add(child, (id) => order(child, { kind: 'readMetrics', id }))
    child.on('message', (message) => this.#onReport(running, v.parse(Report, message)))
    child.on('error', (error) => {
      // Other errors are those of the channel to an ended process, whose event 'exit' is handled below.
      if (child.pid !== undefined) return
      this.#running.delete(running)
      this.#metrics.remove(child)
      this.#startLater(duty, { err: error }, 'worker process: not started, trying again')
    })
    child.once('exit', (code, signal) => {
      this.#running.delete(running)
      this.#startLater(duty, { pid: child.pid, code, signal }, 'worker process: exited, restarting')
    })
    order(child, { kind: 'start', config: this.#deps.config, duty })
  }

  #onReport(running: Running, report: Report): void {
    switch (report.kind) {
      case 'ready':
        running.isReady = report.isReady
        this.#onReady()
        return
      case 'health':
        running.health = report.health
        return
      case 'storeOutage':
        this.#deps.onStoreOutage(report.store, report.outage)
        return
      case 'load':
        this.#deps.onLoad()
        return
      case 'metrics':
        this.#metrics.onReport(running.child, report)
        return
      case 'failed':
        this.#deps.logger.error({ reason: report.message }, 'worker process: start failed')
        return
    }
  }

  /** @param event the log line about what happened to the earlier process, with its facts */
  #startLater(duty: Duty, facts: object, event: string): void {
    if (this.#isStopping) return
    this.#deps.logger.error(facts, event)
    const timer = setTimeout(() => {
      this.#restarts.delete(timer)
      this.#spawn(duty)
    }, RESTART_PAUSE_MS)
    this.#restarts.add(timer)
    this.#deps.onExit()
  }

  async #stopOne({ child }: Running, graceMs: number): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    order(child, { kind: 'stop', graceMs })
    const killTimer = setTimeout(() => child.kill('SIGKILL'), graceMs + EXIT_TIMEOUT_MS)
    await ended
    clearTimeout(killTimer)
  }
}

function order(child: ChildProcess, message: Order): void {
  // If the channel is closed, the process has ended or will end, and its event 'exit' follows.
  if (child.connected) child.send(message, () => undefined)
}
