// Which processes send: the server's own while there is little to send, and worker processes while there is a load.
//
//   alone ──(load)──▶ starting ──(processes ready)──▶ shared ──(no load for IDLE_MS)──▶ ending ──(exits)──▶ alone
//   starting ──(no load for IDLE_MS)──▶ ending
//   shared ──(all processes for all sends have ended unexpectedly)──▶ starting
//
// Its own process claims batches in `alone`, `starting` and `ending`, so nothing waits for a start.
import type { Logger } from '../observability/log.ts'
import type { WorkerProcesses } from './worker-processes.ts'

/** After this time without a load the worker processes end, in ms. A start of all of them takes seconds of CPU time. */
const IDLE_MS = 300_000

/** The workers in the server's own process. */
export interface OwnWorkers {
  /** Begins to claim, also after a stop. */
  start(): void
  /** Claims nothing more. Batches in flight may take `graceMs`. */
  stop(graceMs: number): Promise<void>
  /** Whether the queue accepts claims. */
  isReady(): boolean
}

interface Deps {
  own: OwnWorkers
  processes: Pick<WorkerProcesses, 'start' | 'stop' | 'isReady' | 'whenReady'>
  /** The time for batches in flight when the work changes hands, in ms. */
  graceMs: number
  logger: Logger
  /** IDLE_MS unless given. */
  idleMs?: number
}

/** Starts worker processes at a load, and ends them after it. */
export class WorkerScaling {
  readonly #deps: Deps
  readonly #idleTimer: NodeJS.Timeout
  #state: 'alone' | 'starting' | 'shared' | 'ending' | 'stopped' = 'alone'
  #changing: Promise<void> = Promise.resolve()

  /** Starts the own workers. */
  constructor(deps: Deps) {
    this.#deps = deps
    this.#idleTimer = setTimeout(() => this.#onIdle(), deps.idleMs ?? IDLE_MS).unref()
    deps.own.start()
  }

  /** Whether the server's own process is the only one that sends. */
  get isAlone(): boolean {
    return this.#state !== 'shared'
  }

  /** Whether the queue accepts the claims of the processes that send. */
  get isReady(): boolean {
    return this.isAlone ? this.#deps.own.isReady() : this.#deps.processes.isReady
  }

  /** There is a load, in the server's own process or in a worker process. */
  onLoad(): void {
    if (this.#state === 'stopped') return
    this.#idleTimer.refresh()
    if (this.#state === 'alone') this.#change(() => this.#share())
  }

  /** A worker process has ended unexpectedly. It is started again. */
  onExit(): void {
    if (this.#state === 'shared') this.#change(() => this.#replace())
  }

  /** Stops all workers. Batches in flight may take `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#state = 'stopped'
    clearTimeout(this.#idleTimer)
    await Promise.all([this.#deps.own.stop(graceMs), this.#deps.processes.stop(graceMs)])
    await this.#changing
  }

  /** Runs `work` when the changes before it have ended. */
  #change(work: () => Promise<void>): void {
    this.#changing = this.#changing.then(work).catch((error: unknown) => {
      this.#deps.logger.error({ err: error }, 'worker processes: not started or ended as planned')
    })
  }

  async #share(): Promise<void> {
    const { processes, logger } = this.#deps
    if (this.#state !== 'alone') return
    this.#state = 'starting'
    logger.info('worker processes: started for a load')
    processes.start()
    await this.#handOver()
  }

  /** Sends in this process again until one of the worker processes does. */
  async #replace(): Promise<void> {
    const { own, processes, logger } = this.#deps
    if (this.#state !== 'shared' || processes.isReady) return
    this.#state = 'starting'
    own.start()
    logger.warn('worker processes: none is left, this process sends until they are ready again')
    await this.#handOver()
  }

  async #handOver(): Promise<void> {
    const { own, processes, graceMs, logger } = this.#deps
    if (!(await processes.whenReady())) return await this.#end()
    this.#state = 'shared'
    logger.info('worker processes: ready, they send now')
    await own.stop(graceMs)
  }

  #onIdle(): void {
    if (this.#state === 'shared') this.#change(() => this.#end())
    // The change that waits for them ends then.
    else if (this.#state === 'starting') void this.#deps.processes.stop(this.#deps.graceMs)
    else if (this.#state !== 'stopped') this.#idleTimer.refresh()
  }

  async #end(): Promise<void> {
    const { own, processes, graceMs, logger } = this.#deps
    if (this.#state !== 'shared' && this.#state !== 'starting') return
    if (this.#state === 'shared') own.start()
    this.#state = 'ending'
    logger.info('worker processes: ended, because there is no load')
    await processes.stop(graceMs)
    if (this.#state === 'ending') this.#state = 'alone'
  }
}
