import { chooseRedis, hasCredentials } from '../config/check.ts'
import { ConfigError } from '../config/config-error.ts'
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'
import type { Config } from '../config/schema.ts'
import type { Sql } from '../database/pool.ts'
import { runTransaction } from '../database/transaction.ts'
import type { CredentialCache } from '../providers/credential-cache.ts'
import { PostgresCredentialCache } from '../providers/credential-cache-postgres.ts'
import { RedisCredentialCache } from '../providers/credential-cache-redis.ts'
import type { Outages } from '../providers/outages.ts'
import type { Provider } from '../providers/provider.ts'
import { SandboxProvider } from '../providers/sandbox/sandbox.ts'
import type { OnStop } from '../shutdown-phases.ts'
import { makeProvider } from './make-provider.ts'
import { openRedis } from './open-redis.ts'
import type { Plan } from './plan.ts'

/** The enabled providers, and those of them that have a credential. The others are sandboxes. */
export function chooseProviders(config: Config): { enabled: readonly ProviderName[]; real: readonly ProviderName[] } {
  const { enabled_providers: enabled = PROVIDER_NAMES, dry_run: isDryRun } = config.push_notifications
  return { enabled, real: isDryRun ? [] : enabled.filter((name) => hasCredentials(config, name)) }
}

/**
 * Makes the enabled providers. A provider without credentials is a sandbox.
 * @throws ConfigError for unusable credentials, with all problems
 */
export async function makeProviders(
  plan: Plan,
  outages: Outages,
  queueSql: Sql | undefined,
  onStop: OnStop,
): Promise<Map<ProviderName, Provider>> {
  const { config, logger } = plan
  const { dry_run: isDryRun, dry_run_latency } = config.push_notifications
  const { enabled, real } = chooseProviders(config)
  const openCredentialCache = () => makeCredentialCache(plan, queueSql, onStop)
  const make = async (name: ProviderName): Promise<Provider> => {
    if (isDryRun) return new SandboxProvider({ name, latencyMs: dry_run_latency, logger })
    if (!real.includes(name)) return new SandboxProvider({ name, logger })
    return await makeProvider(name, { ...plan, makeBreaker: outages.makeBreakerOf(name), openCredentialCache })
  }
  return new Map(await collectProblems(enabled, async (name) => [name, await make(name)] as const))
}

/** Calls `work` for all items, and throws one ConfigError with the problems of all that throw one. */
export async function collectProblems<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const problems: string[] = []
  for (const item of items) {
    try {
      results.push(await work(item))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push(...error.problems)
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return results
}

/** Makes the credential cache. It is in the store of the queue, because all workers share that store. */
async function makeCredentialCache(plan: Plan, queueSql: Sql | undefined, onStop: OnStop): Promise<CredentialCache> {
  if (queueSql) return new PostgresCredentialCache({ runTransaction: (work) => runTransaction(queueSql, work) })
  const redis = await openRedis(plan)
  onStop.close('credential cache', async () => redis.disconnect())
  return new RedisCredentialCache({ redis, prefix: chooseRedis(plan.config).prefix })
}
