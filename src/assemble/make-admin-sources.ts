import type { AdminSources } from '../admin/admin-sources.ts'
import { hasCredentials } from '../config/check.ts'
import type { Config } from '../config/schema.ts'
import type { ProviderHealth } from '../observability/provider-health.ts'
import type { AcceptDeps } from '../push/accept.ts'
import type { buildParts } from './build-parts.ts'
import { makeExplain } from './make-explain.ts'
import type { RunningAnalytics } from './running-analytics.ts'

interface Given {
  accept: AcceptDeps
  parts: Awaited<ReturnType<typeof buildParts>>
  analytics: RunningAnalytics | undefined
  hasWorkers: boolean
  isReady(): boolean
  readHealth(): ProviderHealth
  readMetrics(): Promise<string>
}

/** Gathers the parts that the admin web UI shows and changes. */
export function makeAdminSources(
  config: Config,
  { accept, parts, analytics, hasWorkers, isReady, readHealth, readMetrics }: Given,
): AdminSources {
  const { queue, devices, rateLimiter, providers } = parts
  return {
    queue,
    accept,
    sandboxes: new Set(
      [...providers.keys()].filter((name) => config.push_notifications.dry_run || !hasCredentials(config, name)),
    ),
    readHealth: () => ({ ...readHealth(), isReady: isReady(), hasWorkers }),
    readMetrics,
    devices,
    preview: devices && { ...accept, devices, rateLimiter, now: Date.now },
    events: analytics?.reader,
    volume: analytics?.volume,
    explain:
      devices &&
      analytics &&
      makeExplain(config, { queue, devices, events: analytics.reader, providers: providers.keys() }),
  }
}
