import type { InferInput } from 'valibot'
import type { ConfigSchema } from '../../src/config/schema.ts'

/** The configuration of a server. */
export type Settings = InferInput<typeof ConfigSchema>

/** The stores that a queue can be kept in. */
export type BackendName = 'postgresql' | 'redis'

/** The settings of a server that name its store. */
export interface StoreSettings {
  /** The PostgreSQL that has the devices. */
  readonly dsn: string
  /** For `push_notifications.queue`. */
  readonly queueSettings: NonNullable<NonNullable<Settings['push_notifications']>['queue']>
}

/** The store of a queue, with its own server: it can be killed, and its data is back after a restart. */
export interface Backend extends StoreSettings {
  readonly name: BackendName
  /** The port of the store on 127.0.0.1. */
  readonly port: number
  /** The settings of a server whose connections to the store go to another port. */
  settingsVia(port: number): StoreSettings
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
