// More than one core: workers in processes of their own, each with its own event loop. They find their work through the
// queue, as workers on other machines do; here they are only started, started again when they end, asked for their
// metrics, and stopped. One process more sends small sends only: it is idle when a push for one phone comes in the middle of a
// broadcast.
//
//   starting ──('ready')──▶ working ──(it ends by itself)──▶ starting, after a pause
//   any ──(stop)──▶ stopping ──(it has ended, or its time is over: SIGKILL)──▶ gone
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import * as v from 'valibot'
import type { Config } from '../config/schema.ts'
import type { Logger } from '../observability/log.ts'
import { type Duty, LANES } from '../queue/queue.ts'
import { withDeadline } from '../timing/deadline.ts'
import { type Order, Report } from './messages.ts'

const PROGRAM = resolve(import.meta.dirname, '../../bin/centripush.js')
/**
 * V8's own options. A broadcast's garbage is bytes that went through sockets, outside the heap, and V8 counts them with what
 * is alive in it, which is 20 MB. Left to itself it lets memory grow to many times of that; told to stay close it marks the
 * whole heap ten times a second, on other threads, where no profile shows it. Young garbage has less room than V8's 16 MB
 * because the buffers behind it are let go with it.
 */
const HEAP_OPTIONS = ['--heap-growing-percent=200', '--max-semi-space-size=8']
/** One that dies at once must not keep a core busy with starting it. */
const RESTART_PAUSE_MS = 1000
const METRICS_TIMEOUT_MS = 2000
/** What a worker process may take beyond the time for its work in flight. */
const EXIT_TIMEOUT_MS = 8000

type Metrics = Extract<Report, { kind: 'metrics' }>['metrics']

interface Deps {
  /** As the processes get it: with the DSN of a database that is migrated. */
  config: Config
  /** How many send everything; the one for small sends comes on top. */
  count: number
  logger: Logger
}

const SMALL: Duty = { lanes: ['small'], reserve: [] }
/** Small sends as well: should there be more than one process can send, or should it be gone. */
const ALL: Duty = { lanes: LANES, reserve: SMALL.lanes }

interface Running {
  child: ChildProcess
  duty: Duty
  isReady: boolean
  /** Who waits for metrics, by the id of the order. */
  readers: Map<number, (metrics: Metrics) => void>
}

export class WorkerProcesses {
  readonly #deps: Deps
  readonly #running = new Set<Running>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  readonly #killAll = () => {
    for (const { child } of this.#running) child.kill('SIGKILL')
  }
  #isStopping = false
  #lastId = 0

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Starts them; `isReady` tells when they work. */
  start(): void {
    // Who is told twice to stop exits at once, and so do they.
    process.once('exit', this.#killAll)
    for (let index = 0; index < this.#deps.count; index++) this.#spawn(ALL)
    this.#spawn(SMALL)
  }

  /** Whether at least one that sends everything reaches its queue. */
  get isReady(): boolean {
    return [...this.#running].some(({ isReady, duty }) => isReady && duty === ALL)
  }

  /** Of each that answers in time. */
  async readMetrics(): Promise<Metrics[]> {
    const answers = await Promise.allSettled([...this.#running].map((running) => this.#readMetrics(running)))
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  }

  /** Lets what they are sending finish within `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true
    for (const timer of this.#restarts) clearTimeout(timer)
    await Promise.all([...this.#running].map((running) => this.#stopOne(running, graceMs)))
    process.off('exit', this.#killAll)
  }

  #spawn(duty: Duty): void {
    const child = fork(PROGRAM, ['worker-process'], {
      serialization: 'advanced',
      execArgv: [...process.execArgv, ...HEAP_OPTIONS],
    })
    const running: Running = { child, duty, isReady: false, readers: new Map() }
    this.#running.add(running)
    child.on('message', (message) => this.#onReport(running, v.parse(Report, message)))
    // A child that is gone already: its 'exit' says so.
    child.on('error', () => undefined)
    child.once('exit', (code, signal) => this.#onExit(running, code, signal))
    order(child, { kind: 'start', config: this.#deps.config, duty })
  }

  #onReport(running: Running, report: Report): void {
    switch (report.kind) {
      case 'ready':
        running.isReady = report.isReady
        return
      case 'metrics':
        running.readers.get(report.id)?.(report.metrics)
        return
      case 'failed':
        this.#deps.logger.error({ reason: report.message }, 'worker process: could not start')
        return
    }
  }

  #onExit(running: Running, code: number | null, signal: NodeJS.Signals | null): void {
    this.#running.delete(running)
    if (this.#isStopping) return
    this.#deps.logger.error({ pid: running.child.pid, code, signal }, 'worker process: ended, another one is started')
    const timer = setTimeout(() => {
      this.#restarts.delete(timer)
      this.#spawn(running.duty)
    }, RESTART_PAUSE_MS)
    this.#restarts.add(timer)
  }

  async #readMetrics({ child, readers }: Running): Promise<Metrics> {
    const id = ++this.#lastId
    const answer = new Promise<Metrics>((resolveMetrics) => readers.set(id, resolveMetrics))
    order(child, { kind: 'readMetrics', id })
    return await withDeadline(answer, METRICS_TIMEOUT_MS).finally(() => readers.delete(id))
  }

  async #stopOne({ child }: Running, graceMs: number): Promise<void> {
    const ended = once(child, 'exit')
    order(child, { kind: 'stop', graceMs })
    const killTimer = setTimeout(() => child.kill('SIGKILL'), graceMs + EXIT_TIMEOUT_MS)
    await ended
    clearTimeout(killTimer)
  }
}

function order(child: ChildProcess, message: Order): void {
  // A channel that is closed: the process has ended or is about to, which 'exit' tells.
  if (child.connected) child.send(message, () => undefined)
}
