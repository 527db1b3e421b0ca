import type { Backend, BackendName } from './backend.ts'
import { startPostgresBackend } from './postgres-backend.ts'
import { startRedisBackend } from './redis-backend.ts'

const STARTS: Record<BackendName, () => Promise<Backend>> = {
  postgresql: startPostgresBackend,
  redis: startRedisBackend,
}

/** All back-ends. */
export const BACKEND_NAMES: readonly BackendName[] = ['postgresql', 'redis']

/** Starts a new, empty store. */
export function startBackend(name: BackendName): Promise<Backend> {
  return STARTS[name]()
}
