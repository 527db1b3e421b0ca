import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import * as v from 'valibot'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { type Order, Report, type SinkOptions } from './messages.ts'

const PROGRAM = join(import.meta.dirname, 'counting-sink-process.ts')

type CountingSinkOptions = Partial<Omit<SinkOptions, 'cert' | 'key'>>

/** A stub of a push service in its own process. It gives the same answer on every path. */
export class CountingSink {
  readonly ca: string
  readonly origin: string
  readonly #child: ChildProcess
  readonly #arrivals = new Map<string, (atMs: number) => void>()
  readonly #watching = new Map<string, () => void>()
  #onTimeCount = (_: number) => {}
  #onTimes = (_: { timesMs: number[]; lastMs: number }) => {}
  #onCount: ((count: { requests: number; connections: number }) => void) | undefined

  private constructor(child: ChildProcess, port: number, ca: string) {
    this.ca = ca
    this.origin = `https://127.0.0.1:${port}`
    this.#child = child
    child.on('message', (message) => this.#onReport(v.parse(Report, message)))
  }

  /** Starts a stub. By default it answers 200 without a body, at once, on 1,000 streams. */
  static async start(options: CountingSinkOptions = {}): Promise<CountingSink> {
    const { cert, key, caCert } = await makeCertificates()
    const all: SinkOptions = {
      status: 200,
      answer: '',
      headers: {},
      delayMs: 0,
      maxStreams: 1000,
      timeMark: '',
      ...options,
      cert,
      key,
    }
    const child = fork(PROGRAM, [JSON.stringify(all)], { execArgv: ['--import', 'tsx'] })
    const [message] = await once(child, 'message')
    const report = v.parse(Report, message)
    if (report.kind !== 'listening') throw new Error('the stub did not start')
    return new CountingSink(child, report.port, caCert)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The numbers of requests and of opened connections so far. */
  count(): Promise<{ requests: number; connections: number }> {
    return new Promise((resolve) => {
      this.#onCount = resolve
      this.#order({ kind: 'count' })
    })
  }

  /**
   * Watches for a request with `text` in its body, starting when the promise resolves. `arrival` resolves to its time
   * on the clock of process.hrtime, in ms.
   */
  async watch(text: string): Promise<{ arrival: Promise<number> }> {
    const arrival = new Promise<number>((resolve) => this.#arrivals.set(text, resolve))
    await new Promise<void>((resolve) => {
      this.#watching.set(text, resolve)
      this.#order({ kind: 'watch', text })
    })
    return { arrival }
  }

  /** The number of requests with a time mark since `takeTimes`. */
  countTimes(): Promise<number> {
    return new Promise((resolve) => {
      this.#onTimeCount = resolve
      this.#order({ kind: 'countTimes' })
    })
  }

  /**
   * Takes the times in ms from the marks in requests to their arrival, and the arrival of the last of them on the clock
   * of process.hrtime. The next call has later ones.
   */
  takeTimes(): Promise<{ timesMs: number[]; lastMs: number }> {
    return new Promise((resolve) => {
      this.#onTimes = resolve
      this.#order({ kind: 'takeTimes' })
    })
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit')
    if (this.#child.connected) this.#child.disconnect()
    else if (!this.#child.kill()) return
    await ended
  }

  #order(order: Order): void {
    this.#child.send(order)
  }

  #onReport(report: Report): void {
    if (report.kind === 'count') this.#onCount?.(report)
    else if (report.kind === 'timeCount') this.#onTimeCount(report.count)
    else if (report.kind === 'times') this.#onTimes(report)
    else if (report.kind === 'watching') {
      this.#watching.get(report.text)?.()
      this.#watching.delete(report.text)
    } else if (report.kind === 'arrived') {
      this.#arrivals.get(report.text)?.(report.atMs)
      this.#arrivals.delete(report.text)
    }
  }
}
