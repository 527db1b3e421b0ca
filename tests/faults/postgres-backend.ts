import { KillablePostgres } from '../support/killable-postgres.ts'
import type { Backend } from './backend.ts'

/** Devices and queue in one PostgreSQL, the default of the server. */
export async function startPostgresBackend(): Promise<Backend> {
  const postgres = await KillablePostgres.start()
  return {
    name: 'postgresql',
    dsn: postgres.dsn,
    queueSettings: { type: 'postgresql' },
    killStore: () => postgres.kill(),
    restartStore: () => postgres.restart(),
    stop: () => postgres.stop(),
  }
}
