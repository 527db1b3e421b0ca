import type { EventReader, VolumeReader } from '../analytics/analytics.ts'
import type { ProviderName } from '../config/provider-names.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import type { ExplainDeps } from '../explain/explain-push.ts'
import type { ProviderHealth } from '../observability/provider-health.ts'
import type { PreviewDeps } from '../preview/preview-send.ts'
import { ApiError } from '../protocol/errors.ts'
import type { AcceptDeps } from '../push/accept.ts'
import type { Queue } from '../queue/queue.ts'
import type { ActionLog } from './actions/action-log.ts'
import type { LivePolls } from './live/live-polls.ts'

/** The parts of the server that pages read and change. */
export interface AdminSources {
  queue: Queue
  accept: AcceptDeps
  /** The providers that run as a sandbox: they record pushes instead of sending them. */
  sandboxes: ReadonlySet<ProviderName>
  /**
   * Whether the stores work and the workers of this server can claim work, and the state of the providers for it. A
   * server with the role `api` has no workers.
   */
  readHealth(): ProviderHealth & { isReady: boolean; hasWorkers: boolean }
  /** The metrics of all processes of this server in the text format of Prometheus. */
  readMetrics(): Promise<string>
  /** These need a database; undefined without one. */
  devices: DeviceStore | undefined
  preview: PreviewDeps | undefined
  events: EventReader | undefined
  volume: VolumeReader | undefined
  explain: ExplainDeps | undefined
}

/** The parts of all pages. */
export interface PageDeps {
  /** The path of the web UI. */
  base: string
  sources: AdminSources
  actions: ActionLog
  live: LivePolls
}

/** A source that needs a database. @throws ApiError notAvailable without one */
export function need<Source>(source: Source | undefined): Source {
  if (source === undefined)
    throw new ApiError('notAvailable', 'this page needs a database, and database.enabled is false')
  return source
}
