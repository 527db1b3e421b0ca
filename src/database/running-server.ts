// Finds an embedded PostgreSQL that is still running after its centripush was killed, by the file postmaster.pid of the
// cluster.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from './data-dir-lock.ts'
import { readDatabaseError } from './database-error.ts'
import { openDatabase } from './pool.ts'

/** The SQLSTATE with which PostgreSQL refuses connections while it is starting, recovering or stopping. */
const CANNOT_CONNECT_NOW = '57P03'
const RETRY_MS = 100
/** How long to wait for PostgreSQL to accept connections, in ms: recovery after a crash of the machine takes time. */
const WAIT_MS = 60_000

/**
 * The port of the PostgreSQL that runs on the cluster; undefined if none does. The file postmaster.pid of a server that
 * no longer exists is left: PostgreSQL replaces it.
 */
export async function findRunningServer(
  clusterDir: string,
  makeDsn: (port: number) => string,
): Promise<number | undefined> {
  const deadlineMs = Date.now() + WAIT_MS
  for (;;) {
    // The lines of postmaster.pid: pid, directory, start time, port; see src/include/utils/pidfile.h of PostgreSQL.
    const lines = (await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
    const [pid, port] = [Number(lines[0]), Number(lines[3])]
    if (!isAlive(pid) || !port) return undefined
    const answer = await tryConnect(makeDsn(port))
    if (answer === 'connected') return port
    if (answer !== CANNOT_CONNECT_NOW || Date.now() > deadlineMs) return undefined
    await delay(RETRY_MS)
  }
}

/**
 * Tries to connect. The password shows that it is the right server: another process may have its pid or its port by
 * now.
 */
async function tryConnect(dsn: string): Promise<'connected' | (string & {})> {
  const sql = openDatabase({ dsn, maxConnections: 1 })
  try {
    await sql`select`
    return 'connected'
  } catch (error) {
    return readDatabaseError(error)?.code ?? 'failed'
  } finally {
    await sql.end({ timeout: 0 })
  }
}
