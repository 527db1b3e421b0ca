// Reads the simulator's log, which is the truth about the pushes: their targets and times.
import * as v from 'valibot'
import type { FcmSimulator } from '../../src/simulators/fcm/fcm-simulator.ts'
import { waitFor } from './wait.ts'

const Body = v.object({ message: v.object({ data: v.object({ uid: v.string() }) }) })

/** A push that the provider accepted. */
export interface Delivery {
  target: string
  /** Unix time in ms. */
  atMs: number
}

/** The counts of a send. */
export interface Count {
  /** Targets without a push. */
  lost: number
  /** Pushes beyond the first of each target. */
  duplicates: number
  /** Pushes to targets outside of the send. */
  strays: number
}

/** The accepted pushes, by the uid of their send. */
export class Deliveries {
  readonly #simulator: FcmSimulator
  readonly #byUid = new Map<string, Delivery[]>()
  #read = 0

  constructor(deps: { simulator: FcmSimulator }) {
    this.#simulator = deps.simulator
  }

  /** The number of pushes of all sends so far. */
  get total(): number {
    return this.#simulator.accepted.length
  }

  /** Resolves when there are `total` pushes. Rejects after a time limit. */
  reach(total: number): Promise<void> {
    return waitFor(`${total} pushes`, this.#simulator.waitForAccepted(total))
  }

  /** The pushes of a send, in the order of their arrival. */
  of(uid: string): readonly Delivery[] {
    const { accepted } = this.#simulator
    for (; this.#read < accepted.length; this.#read++) {
      const push = accepted[this.#read]
      if (push) this.#note(push)
    }
    return this.#byUid.get(uid) ?? []
  }

  /** The number of pushes of all sends in [fromMs, toMs). */
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

/** Compares the expected targets of a send with its pushes. */
export function countDeliveries(expected: ReadonlySet<string>, deliveries: readonly Delivery[]): Count {
  const seen = new Set(deliveries.map(({ target }) => target))
  const strays = [...seen].filter((target) => !expected.has(target)).length
  return { lost: expected.size - (seen.size - strays), duplicates: deliveries.length - seen.size, strays }
}

/** The longest time in ms without a push, from `fromMs` until the last push. */
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
