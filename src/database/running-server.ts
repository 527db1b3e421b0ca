// The server that a killed process left running, as the cluster's postmaster.pid describes it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from './data-dir-lock.ts'
import { readDatabaseError } from './database-error.ts'
import { openDatabase } from './pool.ts'

/** It is starting, recovering or stopping. */
const CANNOT_CONNECT_NOW = '57P03'
const RETRY_MS = 100
/** Recovery after a crash of the machine can take its time. */
const WAIT_MS = 60_000

/**
 * The port of the server that runs on the cluster; undefined when none does. A file left by a server that is gone is
 * PostgreSQL's own business: it is replaced at the next start.
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

/** Only our server knows our password: a process that took over the pid or the port of one that is gone does not. */
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
