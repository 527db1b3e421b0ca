import type { Backend, BackendName } from './backend.ts'
import { startPostgresBackend } from './postgres-backend.ts'
import { startRedisBackend } from './redis-backend.ts'

const STARTS: Record<BackendName, () => Promise<Backend>> = {
  postgresql: startPostgresBackend,
  redis: startRedisBackend,
}

/** The back-ends that are run. */
export const BACKEND_NAMES: readonly BackendName[] = ['postgresql', 'redis']

/** Starts a store of its own. */
export function startBackend(name: BackendName): Promise<Backend> {
  return STARTS[name]()
}
