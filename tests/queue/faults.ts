// A store with failures: calls reject before or after their work, as calls that time out do.
import type { Queue } from '../../src/queue/queue.ts'

class InjectedFault extends Error {
  override readonly name = 'InjectedFault'
}

/**
 * These calls never fail: a failed wait or close can't be distinguished from a successful one, and apps' reports may be
 * counted twice.
 */
const SPARED = new Set<PropertyKey>(['waitForWork', 'close', 'countStatuses'])

type Around = (name: PropertyKey, call: () => Promise<unknown>) => Promise<unknown>

/** The same queue with `around` around each call. */
function wrap(queue: Queue, around: Around): Queue {
  return new Proxy(queue, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function' || SPARED.has(name)) {
        return typeof method === 'function' ? method.bind(target) : method
      }
      return (...args: unknown[]) => around(name, async () => Reflect.apply(method, target, args))
    },
  })
}

/** One call in ten rejects, half of these before their work and half after it. @param random numbers from 0 to 1 */
export function injectFaults(queue: Queue, random: () => number): Queue {
  return wrap(queue, async (name, call) => {
    const roll = random()
    if (roll < 0.05) throw new InjectedFault(`${String(name)} was not done`)
    const result = await call()
    if (roll < 0.1) throw new InjectedFault(`${String(name)} was done`)
    return result
  })
}

/** Repeats failed calls. If the failed call has done its work, the answer is that of the first call. */
export function repeatFailed(queue: Queue): Queue {
  return wrap(queue, async (name, call) => {
    for (let hasFailed = false; ; ) {
      try {
        const result = await call()
        return hasFailed ? asFirstAnswer(name, result) : result
      } catch (error) {
        if (!(error instanceof InjectedFault)) throw error
        hasFailed = true
      }
    }
  })
}

function asFirstAnswer(name: PropertyKey, result: unknown): unknown {
  if (name === 'enqueue' && result === 'duplicate') return 'accepted'
  if (name === 'acknowledge' && result === 'lost') return 'acknowledged'
  return result
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function makeRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
