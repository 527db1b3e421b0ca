import type { InferInput } from 'valibot'
import type { ConfigSchema } from '../../src/config/schema.ts'

/** The configuration of a server. */
export type Settings = InferInput<typeof ConfigSchema>

/** The stores that a queue can be kept in. */
export type BackendName = 'postgresql' | 'redis'

/** The store of a queue, with its own server: it can be killed, and its data is back after a restart. */
export interface Backend {
  readonly name: BackendName
  /** The PostgreSQL that has the devices. */
  readonly dsn: string
  /** For `push_notifications.queue`. */
  readonly queueSettings: NonNullable<NonNullable<Settings['push_notifications']>['queue']>
  /** The port of the store. */
  readonly storePort: number
  /** The connection options for a server that reaches the store at another port, through a proxy. */
  through(storePort: number): Pick<Backend, 'dsn' | 'queueSettings'>
  /** Kills the store (SIGKILL). Resolves when its processes have ended. */
  killStore(): Promise<void>
  /** Starts the store again. Resolves when it answers. */
  restartStore(): Promise<void>
  /** Lets the store's statements or commands hang for `ms`. It executes them afterwards. Resolves at their end. */
  hangStore(ms: number): Promise<void>
  /** Redis only: limits the store's memory to `bytes` above its present use; undefined removes the limit. */
  limitMemory?(bytes: number | undefined): Promise<void>
  /** Ends the store and removes its data. */
  stop(): Promise<void>
}
