import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'

const PROTOTYPES: readonly Queue[] = [PostgresQueue.prototype, RedisQueue.prototype]

/** Methods in the place of a queue's own, made once for each queue; `own` is the queue as it was. */
export type QueueAlterations = { [Name in QueueMethod]?: (own: Queue) => Queue[Name] }

type QueueMethod = Exclude<keyof Queue, 'takenPages'>

/** Alters all queues that this process makes, of whatever kind. */
export function alterQueues(alterations: QueueAlterations): void {
  for (const prototype of PROTOTYPES) {
    const originals = new Map<PropertyKey, unknown>()
    for (const [name, make] of Object.entries(alterations)) {
      originals.set(name, Reflect.get(prototype, name))
      const made = new WeakMap<object, (...args: never[]) => unknown>()
      Object.defineProperty(prototype, name, {
        value(this: Queue, ...args: unknown[]) {
          const method = made.get(this) ?? make(asItWas(this, originals))
          made.set(this, method)
          return Reflect.apply(method, undefined, args)
        },
      })
    }
  }
}

function asItWas(queue: Queue, originals: ReadonlyMap<PropertyKey, unknown>): Queue {
  return new Proxy(queue, {
    get(target, name) {
      const method = originals.get(name) ?? Reflect.get(target, name)
      return typeof method === 'function' ? method.bind(target) : method
    },
  })
}
