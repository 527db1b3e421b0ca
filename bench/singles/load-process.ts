// The load generator, in its own process. At a fixed rate each call has a time at which it is due, and all times are
// counted from it. So a slow server does not slow the load down, and the wait of a call that is sent late counts.
import * as v from 'valibot'
import { summarize } from '../harness/measure.ts'
import { HttpConnections } from './http-connections.ts'
import { type Call, makeKind } from './kinds.ts'
import { LoadOrder, type LoadReport } from './load-messages.ts'

const MAX_CONNECTIONS = 1024
/** How long the last calls may take. Then they count as failed. */
const ANSWER_TIMEOUT_MS = 20_000
const MAX_FAILURES = 5
const KEY = process.argv[2] ?? ''

const ACCEPTED = /^\{"(result":|replies":\[\{"send_push_notification":)/
const REFUSED = /"error":\{"code":100,/

/** Now, on the clock that all processes of the machine share. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

class Run {
  readonly #order: v.InferOutput<typeof LoadOrder>
  readonly #connections: HttpConnections
  readonly #makeCall: ReturnType<typeof makeKind>
  readonly #startMs = now()
  readonly #late: number[] = []
  readonly #uids = new Map<string, number>()
  readonly #report: Omit<LoadReport, 'startMs' | 'seconds' | 'lateMs'> = {
    answersMs: [],
    refusalsMs: [],
    failed: 0,
    failures: [],
    pushes: 0,
  }
  #open = 0
  #issued = 0
  #lastAnswerMs = this.#startMs
  #onEmpty = () => {}

  constructor(order: v.InferOutput<typeof LoadOrder>) {
    this.#order = order
    this.#makeCall = makeKind(order.kind, order.run, order.rate)
    this.#connections = new HttpConnections(order.port, MAX_CONNECTIONS, `X-API-Key: ${KEY}\r\n`)
  }

  async finish(): Promise<LoadReport> {
    if (this.#order.rate === undefined) for (let call = 0; call < this.#order.inFlight; call++) this.#issueNext()
    else await this.#issueAtRate(this.#order.rate)
    if (this.#open > 0) await this.#whenAnswered()
    this.#connections.close()
    return {
      ...this.#report,
      startMs: this.#startMs,
      seconds: (this.#lastAnswerMs - this.#startMs) / 1000,
      lateMs: summarize(this.#late).p99Ms || 0,
    }
  }

  async #issueAtRate(rate: number): Promise<void> {
    const count = Math.min(this.#order.maxCalls, Math.round(rate * this.#order.seconds))
    while (this.#issued < count) {
      const dueMs = this.#startMs + (this.#issued * 1000) / rate
      const waitMs = dueMs - now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      else {
        this.#late.push(-waitMs)
        this.#issue(this.#issued++, dueMs)
      }
    }
  }

  /** Without a rate, a call is due when an earlier one is answered. */
  #issueNext(): void {
    const nowMs = now()
    const isOver = nowMs - this.#startMs > this.#order.seconds * 1000 || this.#issued >= this.#order.maxCalls
    if (!isOver) while (!this.#issue(this.#issued++, nowMs));
  }

  /** Whether the run has such a call. */
  #issue(number: number, dueMs: number): boolean {
    const call = this.#makeCall(number, dueMs)
    if (!call) return false
    this.#open++
    this.#connections.post(call.path, call.body, (status, body) => {
      this.#onAnswer(call, dueMs, status, body)
      this.#open--
      if (this.#order.rate === undefined) this.#issueNext()
      if (this.#open === 0) this.#onEmpty()
    })
    return true
  }

  #onAnswer(call: Call, dueMs: number, status: number, body: string): void {
    this.#lastAnswerMs = now()
    const ms = this.#lastAnswerMs - dueMs
    if (status === 200 && ACCEPTED.test(body) && !body.includes('"error"')) {
      this.#report.answersMs.push(ms)
      this.#countPushes(call)
    } else if (status === 503 || REFUSED.test(body)) this.#report.refusalsMs.push(ms)
    else {
      this.#report.failed++
      if (this.#report.failures.length < MAX_FAILURES) this.#report.failures.push(`${status} ${body.slice(0, 200)}`)
    }
  }

  /** Sends and their cancellations may be answered in any order. */
  #countPushes({ pushes, uid, cancels }: Call): void {
    const key = uid ?? cancels
    const before = (key !== undefined && this.#uids.get(key)) || 0
    if (cancels !== undefined) {
      this.#uids.set(cancels, -1)
      if (before > 0) this.#report.pushes -= before
    } else if (before >= 0) {
      this.#report.pushes += pushes
      if (uid !== undefined) this.#uids.set(uid, pushes)
    }
  }

  async #whenAnswered(): Promise<void> {
    await new Promise<void>((resolve) => {
      const isStuck = setInterval(() => {
        const idleMs = now() - Math.max(this.#lastAnswerMs, this.#startMs + this.#order.seconds * 1000)
        if (idleMs > ANSWER_TIMEOUT_MS) this.#onEmpty()
      }, 500)
      this.#onEmpty = () => {
        clearInterval(isStuck)
        resolve()
      }
    })
  }
}

process.on('message', (message) => {
  const run = new Run(v.parse(LoadOrder, message))
  void run.finish().then((report) => process.send?.(report))
})
// Ends with its parent.
process.once('disconnect', () => process.exit())
