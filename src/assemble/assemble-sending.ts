import { ConfigError } from '../config/config-error.ts'
import { joinEmbeddedPostgres } from '../database/embedded.ts'
import { makeMetrics } from '../observability/metrics.ts'
import type { PreviewDeps } from '../preview/preview-send.ts'
import type { AcceptDeps } from '../push/accept.ts'
import { makeShutdownPhases } from '../shutdown-phases.ts'
import { buildParts } from './build-parts.ts'
import { makeAccept } from './make-accept.ts'
import { openDatabases } from './open-databases.ts'
import { makeCommandPlan, type Plan } from './plan.ts'
import { countInMetrics } from './send-counts.ts'

/** The parts of the server that accept and preview sends. */
export interface Sending {
  accept: AcceptDeps
  /** The parts for a preview. @throws ConfigError if database.enabled is false, because then there are no devices */
  preview(): PreviewDeps
  stop(): Promise<void>
}

/** Opens the parts that accept and preview sends, for a command. It starts no worker. @throws ConfigError, UserError */
export async function assembleSending(commandPlan: Plan): Promise<Sending> {
  const plan = makeCommandPlan(commandPlan)
  const { onStop, stop } = makeShutdownPhases(plan.logger)
  try {
    const databases = await openDatabases(plan, onStop, joinEmbeddedPostgres)
    const parts = await buildParts(plan, databases, onStop)
    const accept = makeAccept(plan.config, parts, countInMetrics(makeMetrics()), undefined)
    const { devices, rateLimiter } = parts
    const preview = (): PreviewDeps => {
      if (!devices) throw new ConfigError('database.enabled: is false, so there are no devices')
      return { ...accept, devices, rateLimiter, now: Date.now }
    }
    return { accept, preview, stop: () => stop(0) }
  } catch (error) {
    await stop(0)
    throw error
  }
}
