import { joinEmbeddedPostgres } from '../database/embedded.ts'
import type { Queue } from '../queue/queue.ts'
import { makeShutdownPhases } from '../shutdown-phases.ts'
import { makeQueue } from './make-queue.ts'
import { openDatabases } from './open-databases.ts'
import { makeCommandPlan, type Plan } from './plan.ts'

/** Opens only the queue, for a command. @throws ConfigError, UserError if the store of the queue can't be used */
export async function assembleQueue(commandPlan: Plan): Promise<{ queue: Queue; stop(): Promise<void> }> {
  const plan = makeCommandPlan(commandPlan)
  const { onStop, stop } = makeShutdownPhases(plan.logger)
  try {
    const { queueSql } = await openDatabases(plan, onStop, joinEmbeddedPostgres)
    return { queue: await makeQueue(plan, queueSql, onStop), stop: () => stop(0) }
  } catch (error) {
    await stop(0)
    throw error
  }
}
