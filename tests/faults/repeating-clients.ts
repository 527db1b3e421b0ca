// Clients that repeat a call once when it is answered with an error, as an application does without a `uid`.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { CentripushProcess } from '../support/centripush-process.ts'
import type { Rig } from './rig.ts'

const ATTEMPTS = 2
const PAUSE_MS = 20

/** The method that is called. */
export type CallKind = 'send' | 'register'

/** One request of a call. */
export interface Attempt {
  kind: CallKind
  /** Found in the pushes of a send, or the token of a registered device. */
  mark: string
  /** Whether it was answered with an error. */
  isError: boolean
}

/** Clients of one server. Each has one request at a time. */
export class RepeatingClients {
  readonly #rig: Rig
  readonly #api: CentripushProcess
  readonly #attempts: Attempt[] = []
  readonly #running: Promise<void>[] = []
  #isStopped = false

  constructor(deps: { rig: Rig; api: CentripushProcess }) {
    this.#rig = deps.rig
    this.#api = deps.api
  }

  /** Starts `count` clients, which call until they are stopped. */
  start(kind: CallKind, count: number): void {
    for (let client = 0; client < count; client++) this.#running.push(this.#run(kind))
  }

  /** Resolves to all attempts when each of them has its answer. */
  async stop(): Promise<readonly Attempt[]> {
    this.#isStopped = true
    await Promise.all(this.#running)
    return this.#attempts
  }

  async #run(kind: CallKind): Promise<void> {
    while (!this.#isStopped) {
      for (let attempt = 1; attempt <= ATTEMPTS && (await this.#try(kind)); attempt++) await delay(PAUSE_MS)
      await delay(PAUSE_MS)
    }
  }

  /** Each attempt has its own mark, so that the executed ones are known. @returns whether the answer is an error */
  async #try(kind: CallKind): Promise<boolean> {
    const mark = `${kind} ${randomUUID()}`
    const { error } =
      kind === 'send'
        ? await this.#rig.call('send_push_notification', sendOf(mark), this.#api)
        : await this.#rig.call('device_register', deviceOf(mark), this.#api)
    this.#attempts.push({ kind, mark, isError: error !== undefined })
    return error !== undefined
  }
}

function sendOf(mark: string): object {
  return { recipient: { fcm_tokens: [mark] }, notification: { fcm: { message: { data: { uid: mark } } } } }
}

function deviceOf(token: string): object {
  return { provider: 'fcm', platform: 'android', token, user: `user of ${token}` }
}
