import { CredentialStates, type ProviderHealth } from '../observability/provider-health.ts'
import { Outages } from '../providers/outages.ts'
import { PageReader } from '../push/page-reader.ts'
import type { OnStop } from '../shutdown-phases.ts'
import { makeDevices } from './make-devices.ts'
import { chooseProviders, makeProviders } from './make-providers.ts'
import { makeQueue } from './make-queue.ts'
import { makeRateLimiter } from './make-rate-limiter.ts'
import type { Databases } from './open-databases.ts'
import type { Plan } from './plan.ts'

/** Builds the parts that accepting and delivering sends have in common. @throws ConfigError, UserError */
export async function buildParts(plan: Plan, { sql, queueSql }: Databases, onStop: OnStop) {
  const { config } = plan
  const devices = sql && makeDevices(plan, sql, onStop)
  const queue = await makeQueue(plan, queueSql, onStop)
  const rateLimiter = await makeRateLimiter(plan, queueSql, onStop)
  const outages = new Outages({ logger: plan.logger, scale: config.worker.retry_scale })
  const providers = await makeProviders(plan, outages, queueSql, onStop)
  onStop.close('providers', async () => {
    await Promise.all([...providers.values()].map((provider) => provider.close()))
  })
  const batchSizes = new Map(
    [...providers.keys()].map((name) => [name, config.push_notifications[name].tokens_batch_size]),
  )
  const pages = new PageReader({
    devices,
    batchSizes,
    now: Date.now,
  })
  const credentials = new CredentialStates(chooseProviders(config).real)
  const readHealth = (): ProviderHealth => ({ down: outages.listProviders(), credentials: credentials.list() })
  return { devices, queue, rateLimiter, outages, credentials, readHealth, providers, batchSizes, pages }
}
