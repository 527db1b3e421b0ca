import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'

/** Replacements of an object's methods, made once for each object; `own` is the unaltered object. */
type Alterations<T, Name extends keyof T = keyof T> = { [Each in Name]?: (own: T) => T[Each] }

export type QueueAlterations = Alterations<Queue>

/** Alters all queues of this process, on both stores. */
export function alterQueues(alterations: QueueAlterations): void {
  for (const prototype of [PostgresQueue.prototype, RedisQueue.prototype]) alter<Queue>(prototype, alterations)
}

function alter<T extends object>(prototype: T, alterations: Alterations<T>): void {
  const originals = new Map<PropertyKey, unknown>()
  for (const [name, make] of Object.entries<((own: T) => unknown) | undefined>(alterations)) {
    originals.set(name, Reflect.get(prototype, name))
    const made = new WeakMap<T, unknown>()
    Object.defineProperty(prototype, name, {
      value(this: T, ...args: unknown[]) {
        const method = made.get(this) ?? make?.(asItWas(this, originals))
        made.set(this, method)
        if (typeof method !== 'function') throw new Error(`${name} is altered to something that can't be called`)
        return Reflect.apply(method, undefined, args)
      },
    })
  }
}

function asItWas<T extends object>(altered: T, originals: ReadonlyMap<PropertyKey, unknown>): T {
  return new Proxy(altered, {
    get(target, name) {
      const method = originals.get(name) ?? Reflect.get(target, name)
      return typeof method === 'function' ? method.bind(target) : method
    },
  })
}
