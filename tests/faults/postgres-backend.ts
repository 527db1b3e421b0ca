import { KillablePostgres } from '../support/killable-postgres.ts'
import type { Backend } from './backend.ts'

/** Devices and queue in one PostgreSQL, the default of the server. */
export async function startPostgresBackend(): Promise<Backend> {
  const postgres = await KillablePostgres.start()
  const queueSettings = { type: 'postgresql' } as const
  return {
    name: 'postgresql',
    port: Number(new URL(postgres.dsn).port),
    dsn: postgres.dsn,
    queueSettings,
    settingsVia: (port) => {
      const dsn = new URL(postgres.dsn)
      dsn.port = String(port)
      return { dsn: dsn.href, queueSettings }
    },
    killStore: () => postgres.kill(),
    restartStore: () => postgres.restart(),
    stop: () => postgres.stop(),
  }
}
