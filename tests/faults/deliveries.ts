// The simulator's log, read as what it is here: the truth about who got what, and when.
import * as v from 'valibot'
import type { FcmSimulator } from '../../src/simulators/fcm/fcm-simulator.ts'
import { waitFor } from './wait.ts'

const Body = v.object({ message: v.object({ data: v.object({ uid: v.string() }) }) })

/** A push that a phone would have got. */
export interface Delivery {
  target: string
  /** Unix time in ms. */
  atMs: number
}

/** What a log says of a send. */
export interface Count {
  /** Targets that never got it. */
  lost: number
  /** Pushes beyond the first, over all targets. */
  duplicates: number
  /** Pushes to somebody who was not to get one. */
  strays: number
}

export class Deliveries {
  readonly #simulator: FcmSimulator
  readonly #byUid = new Map<string, Delivery[]>()
  #read = 0

  constructor(deps: { simulator: FcmSimulator }) {
    this.#simulator = deps.simulator
  }

  /** Pushes of all sends so far. */
  get total(): number {
    return this.#simulator.accepted.length
  }

  /** Resolves when there were `total` pushes. Rejects when there never are. */
  reach(total: number): Promise<void> {
    return waitFor(`${total} pushes`, this.#simulator.waitForAccepted(total))
  }

  /** The pushes of a send, in order. */
  of(uid: string): readonly Delivery[] {
    const { accepted } = this.#simulator
    for (; this.#read < accepted.length; this.#read++) {
      const push = accepted[this.#read]
      if (push) this.#note(push)
    }
    return this.#byUid.get(uid) ?? []
  }

  /** How many pushes of any send came in [fromMs, toMs). */
  countBetween(fromMs: number, toMs: number): number {
    const { accepted } = this.#simulator
    let count = 0
    for (let at = accepted.length - 1; at >= 0 && (accepted[at]?.at_ms ?? 0) >= fromMs; at--) {
      if ((accepted[at]?.at_ms ?? 0) < toMs) count++
    }
    return count
  }

  #note({ body, target, at_ms: atMs }: FcmSimulator['accepted'][number]): void {
    const { uid } = v.parse(Body, JSON.parse(body)).message.data
    const known = this.#byUid.get(uid)
    if (known) known.push({ target, atMs })
    else this.#byUid.set(uid, [{ target, atMs }])
  }
}

/** Compares what was to be sent with what was. */
export function countDeliveries(expected: ReadonlySet<string>, deliveries: readonly Delivery[]): Count {
  const seen = new Set(deliveries.map(({ target }) => target))
  const strays = [...seen].filter((target) => !expected.has(target)).length
  return { lost: expected.size - (seen.size - strays), duplicates: deliveries.length - seen.size, strays }
}

/** The longest time in ms from `fromMs` on in which nothing was sent, until the last push. */
export function findLongestPause(fromMs: number, deliveries: readonly Delivery[]): number {
  let longestMs = 0
  let lastMs = fromMs
  for (const { atMs } of deliveries) {
    if (atMs < fromMs) continue
    longestMs = Math.max(longestMs, atMs - lastMs)
    lastMs = atMs
  }
  return longestMs
}
