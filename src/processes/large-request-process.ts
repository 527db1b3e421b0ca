// The process for large requests. Decoding a body of 60 MB takes seconds and hundreds of megabytes. In a process of its
// own that delays only other large requests, and the memory is free again when the process has ended.
//
// States of the process:
//
//   none ──(acquire)──▶ starting ──(report 'ready')──▶ serving ──(no request for IDLE_MS | stop)──▶ ending ──▶ none
//   starting, serving ──(unexpected exit)──▶ none; requests that wait for the start fail
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { resolve } from 'node:path'
import * as v from 'valibot'
import type { Config } from '../config/schema.ts'
import { withDeadline } from '../timing/deadline.ts'
import { type LargeRequestOrder, LargeRequestReport } from './messages.ts'
import { setNiceness } from './set-niceness.ts'

const PROGRAM = resolve(import.meta.dirname, '../../bin/centripush.js')
/**
 * Options of V8. A decoded body may be several times as large as its bytes, but above this limit the process ends. The
 * garbage of one body is collected before the heap grows to many times of it.
 */
const HEAP_OPTIONS = ['--max-old-space-size=512', '--heap-growing-percent=50', '--max-semi-space-size=16']
/** Ordinary requests and small sends come first. */
const NICENESS = 5
const START_TIMEOUT_MS = 30_000
/** Longer than a queue on Redis has to remember its last writes (MAY_BE_LOST_MS). */
const IDLE_MS = 10_000
/** The time for closing its connections. */
const END_TIMEOUT_MS = 4000

interface Serving {
  /** Its base URL. */
  url: string
  /** Its API key. */
  key: string
}

interface Deps {
  /** The configuration of the process, with the DSN of a migrated database. */
  config: Config
  /** Takes the reports other than those about the start. */
  onReport(report: Exclude<LargeRequestReport, { kind: 'ready' | 'failed' }>): void
}

/** Starts the process for large requests when there are some, and ends it afterwards. */
export class LargeRequestProcess {
  readonly #deps: Deps
  #child: ChildProcess | undefined
  #serving: Promise<Serving> | undefined
  #requests = 0
  #idleTimer: NodeJS.Timeout | undefined
  readonly #kill = () => void this.#child?.kill('SIGKILL')

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Resolves when the process serves. It runs until each call has its `release`. Rejects when it does not start. */
  readonly acquire = (): Promise<Serving> => {
    clearTimeout(this.#idleTimer)
    this.#requests++
    this.#serving ??= this.#start()
    // A request without a process holds nothing.
    this.#serving.catch(() => this.release())
    return this.#serving
  }

  /** Ends the use that began with `acquire`. */
  readonly release = (): void => {
    this.#requests--
    if (this.#requests > 0) return
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => void this.stop(), IDLE_MS).unref()
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    clearTimeout(this.#idleTimer)
    const child = this.#child
    this.#forget(child)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    order(child, { kind: 'stop' })
    const killTimer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS)
    await ended
    clearTimeout(killTimer)
  }

  async #start(): Promise<Serving> {
    const key = randomBytes(24).toString('base64url')
    const child = fork(PROGRAM, ['large-request-process'], {
      serialization: 'advanced',
      execArgv: [...process.execArgv, ...HEAP_OPTIONS],
      // Ctrl-C in a terminal must not reach it.
      detached: true,
    })
    setNiceness(child, NICENESS)
    this.#child = child
    // After a second signal the server exits immediately, and its processes must not survive it.
    process.once('exit', this.#kill)
    child.once('exit', () => this.#forget(child))
    // The channel of an ended child fails; its 'exit' event is handled above.
    child.on('error', () => undefined)
    order(child, { kind: 'start', config: this.#deps.config, key })
    try {
      return { url: await withDeadline(this.#hear(child), START_TIMEOUT_MS), key }
    } catch (error) {
      this.#forget(child)
      child.kill('SIGKILL')
      throw error
    }
  }

  /** Resolves to the URL of the process when it serves. */
  #hear(child: ChildProcess): Promise<string> {
    return new Promise((resolveUrl, reject) => {
      child.once('exit', () => reject(new Error('the process for large requests ended during its start')))
      child.on('message', (message) => {
        const report = v.parse(LargeRequestReport, message)
        if (report.kind === 'ready') resolveUrl(report.url)
        else if (report.kind === 'failed') reject(new Error(report.message))
        else this.#deps.onReport(report)
      })
    })
  }

  /** The next request starts another process. */
  #forget(child: ChildProcess | undefined): void {
    if (child === undefined || this.#child !== child) return
    this.#child = undefined
    this.#serving = undefined
    process.off('exit', this.#kill)
  }
}

function order(child: ChildProcess, message: LargeRequestOrder): void {
  // When the channel is closed the process has ended or will end, which the 'exit' event reports.
  if (child.connected) child.send(message, () => undefined)
}
