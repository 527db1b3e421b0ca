// Finds the server that a killed process left running, by the file postmaster.pid of the cluster.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from './data-dir-lock.ts'
import { readDatabaseError } from './database-error.ts'
import { openDatabase } from './pool.ts'

/** SQLSTATE of a server that is starting, recovering or stopping. */
const CANNOT_CONNECT_NOW = '57P03'
const RETRY_MS = 100
/** Recovery after a crash of the machine can take this long. */
const WAIT_MS = 60_000

/**
 * The port of the server that runs on the cluster; undefined when none does. PostgreSQL itself replaces the file of a
 * server that no longer exists.
 */
export async function findRunningServer(
  clusterDir: string,
  makeDsn: (port: number) => string,
): Promise<number | undefined> {
  const deadlineMs = Date.now() + WAIT_MS
  for (;;) {
    // Lines: pid, directory, start time, port; see src/include/utils/pidfile.h of PostgreSQL.
    const lines = (await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
    const [pid, port] = [Number(lines[0]), Number(lines[3])]
    if (!isAlive(pid) || !port) return undefined
    const answer = await tryConnect(makeDsn(port))
    if (answer === 'connected') return port
    if (answer !== CANNOT_CONNECT_NOW || Date.now() > deadlineMs) return undefined
    await delay(RETRY_MS)
  }
}

/** The password identifies the server: another process may have its pid or port by now. */
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
