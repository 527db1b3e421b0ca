import type { InferInput } from 'valibot'
import type { ConfigSchema } from '../../src/config/schema.ts'

export type Settings = InferInput<typeof ConfigSchema>

export type BackendName = 'postgresql' | 'redis'

/** The store that a queue lives in, run so that it can be killed and come back as it was. */
export interface Backend {
  readonly name: BackendName
  /** PostgreSQL with the devices. */
  readonly dsn: string
  /** For `push_notifications.queue`. */
  readonly queueSettings: NonNullable<NonNullable<Settings['push_notifications']>['queue']>
  /** kill -9; resolves when it is gone. */
  killStore(): Promise<void>
  /** Resolves when it answers again. */
  restartStore(): Promise<void>
  /** Redis only: gives the store `bytes` more than it uses, or with undefined all that it wants. */
  limitMemory?(bytes: number | undefined): Promise<void>
  stop(): Promise<void>
}
