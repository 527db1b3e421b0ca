// A load that goes on over the restarts of a server: single sends one after another, and broadcasts, so that the queue
// is never empty when the server stops.
import type { AcceptedPush } from '../../src/simulators/accepted-log.ts'

/** The devices of a broadcast. */
export const DEVICES = 10_000
/** With fewer pushes to do, the next broadcast is sent. */
const BACKLOG = 20_000
/** Clients that send to one device after another. */
const CLIENTS = 4
const RETRY_MS = 20

/** What became of accepted sends. */
export interface Losses {
  /** Pushes that did not arrive. */
  lost: number
  /** Pushes that arrived twice or more. */
  repeated: number
}

interface Target {
  url: string
  key: string
}

/** The sends that were answered with their uid, by their name: the title of their notification. */
export class Traffic {
  readonly #target: Target
  readonly #readPushes: () => readonly AcceptedPush[]
  readonly #singles = new Set<string>()
  readonly #broadcasts = new Set<string>()
  #sends = 0
  #isRunning = false

  constructor(deps: { target: Target; readPushes: () => readonly AcceptedPush[] }) {
    this.#target = deps.target
    this.#readPushes = deps.readPushes
  }

  /** The number of accepted single sends and broadcasts. */
  get accepted(): { singles: number; broadcasts: number } {
    return { singles: this.#singles.size, broadcasts: this.#broadcasts.size }
  }

  /** Sends until the returned function is called, whether or not a server is there. */
  start(): () => Promise<void> {
    this.#isRunning = true
    const loops = [this.#sendBroadcasts(), ...Array.from({ length: CLIENTS }, () => this.#sendSingles())]
    return async () => {
      this.#isRunning = false
      await Promise.all(loops)
    }
  }

  /** Compares the accepted sends with the pushes at the provider. */
  count(): Losses {
    const counts = new Map<string, number>()
    for (const { body, target } of this.#readPushes()) {
      const key = `${nameIn(body)} ${target}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    let lost = 0
    for (const name of this.#singles) if (!counts.has(`${name} ${name}`)) lost += 1
    for (const name of this.#broadcasts) {
      for (let device = 1; device <= DEVICES; device++) if (!counts.has(`${name} phone-${device}`)) lost += 1
    }
    return { lost, repeated: [...counts.values()].filter((count) => count > 1).length }
  }

  async #sendSingles(): Promise<void> {
    while (this.#isRunning) {
      const name = `single-${++this.#sends}`
      await this.#send(name, { fcm_tokens: [name] }, this.#singles)
    }
  }

  async #sendBroadcasts(): Promise<void> {
    while (this.#isRunning) {
      const expected = this.#singles.size + this.#broadcasts.size * DEVICES
      if (expected - this.#readPushes().length < BACKLOG) {
        await this.#send(`broadcast-${++this.#sends}`, { filter: { providers: ['fcm'] } }, this.#broadcasts)
      } else await pause()
    }
  }

  /** A send without an answer may have been accepted, and counts neither way. */
  async #send(name: string, recipient: object, accepted: Set<string>): Promise<void> {
    const body = JSON.stringify({ recipient, notification: { fcm: { message: { notification: { title: name } } } } })
    const { url, key } = this.#target
    try {
      const init = { method: 'POST', headers: { 'x-api-key': key }, body }
      const answer = await fetch(`${url}/api/send_push_notification`, init)
      if ((await answer.text()).includes('"uid"')) accepted.add(name)
      else await pause()
    } catch {
      // The server is starting, stopping or gone.
      await pause()
    }
  }
}

function nameIn(body: string): string {
  return /"title":"([^"]+)"/.exec(body)?.[1] ?? ''
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS))
}
