import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import * as v from 'valibot'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { type Order, Report, type SinkOptions } from './messages.ts'

const PROGRAM = join(import.meta.dirname, 'counting-sink-process.ts')

type CountingSinkOptions = Partial<Omit<SinkOptions, 'cert' | 'key'>>

/** A push service of our own in a process of its own: any path is answered with the same. */
export class CountingSink {
  readonly ca: string
  readonly origin: string
  readonly #child: ChildProcess
  readonly #arrivals = new Map<string, (atMs: number) => void>()
  readonly #watching = new Map<string, () => void>()
  #onCount: ((count: { requests: number; connections: number }) => void) | undefined

  private constructor(child: ChildProcess, port: number, ca: string) {
    this.ca = ca
    this.origin = `https://127.0.0.1:${port}`
    this.#child = child
    child.on('message', (message) => this.#onReport(v.parse(Report, message)))
  }

  /** 200 without a body, at once, on 1,000 streams, unless said otherwise. */
  static async start(options: CountingSinkOptions = {}): Promise<CountingSink> {
    const { cert, key, caCert } = await makeCertificates()
    const all: SinkOptions = {
      status: 200,
      answer: '',
      headers: {},
      delayMs: 0,
      maxStreams: 1000,
      ...options,
      cert,
      key,
    }
    const child = fork(PROGRAM, [JSON.stringify(all)], { execArgv: ['--import', 'tsx'] })
    const [message] = await once(child, 'message')
    const report = v.parse(Report, message)
    if (report.kind !== 'listening') throw new Error('the sink did not start')
    return new CountingSink(child, report.port, caCert)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Requests that came so far, and connections that were ever opened. */
  count(): Promise<{ requests: number; connections: number }> {
    return new Promise((resolve) => {
      this.#onCount = resolve
      this.#order({ kind: 'count' })
    })
  }

  /**
   * Looks for a request whose body has `text`, from when this resolves on. `arrival` is when it came, on the clock of
   * process.hrtime in ms.
   */
  async watch(text: string): Promise<{ arrival: Promise<number> }> {
    const arrival = new Promise<number>((resolve) => this.#arrivals.set(text, resolve))
    await new Promise<void>((resolve) => {
      this.#watching.set(text, resolve)
      this.#order({ kind: 'watch', text })
    })
    return { arrival }
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
    else if (report.kind === 'watching') {
      this.#watching.get(report.text)?.()
      this.#watching.delete(report.text)
    } else if (report.kind === 'arrived') {
      this.#arrivals.get(report.text)?.(report.atMs)
      this.#arrivals.delete(report.text)
    }
  }
}
