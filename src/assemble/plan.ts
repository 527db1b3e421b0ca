import type { Config } from '../config/schema.ts'
import { CONNECT_TIMEOUT_MS } from '../config/sections/database.ts'
import type { Logger } from '../observability/log.ts'

/** The configuration and the logger: the input of all functions that build parts. */
export interface Plan {
  config: Config
  logger: Logger
  /** Aborts when the process is stopped during its start. */
  signal?: AbortSignal | undefined
  /** Limits how long a store is waited for, in ms, to less than `database.connect_timeout`. */
  maxStoreWaitMs?: number
}

/** A command waits for a store that restarts, in ms, but its user does not wait for one that is down. */
const COMMAND_STORE_WAIT_MS = 2000

/** The plan of a command that uses the stores of a server. */
export function makeCommandPlan(plan: Plan): Plan {
  return { ...plan, maxStoreWaitMs: COMMAND_STORE_WAIT_MS }
}

/** How long to wait for a store that is not reachable or still starting, in ms. */
export function storeWaitMs({ config, maxStoreWaitMs = Number.POSITIVE_INFINITY }: Plan): number {
  return Math.min(config.database?.connect_timeout ?? CONNECT_TIMEOUT_MS, maxStoreWaitMs)
}
