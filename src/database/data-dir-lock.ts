// Ensures that one process at a time uses a data directory, by a lock file with the pid of its owner. The file of a
// killed process remains, so the lock of a process that has ended is taken over.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../config/user-error.ts'

const LOCK_FILE = 'centripush.lock'

/** The data directory cannot be used, because another running process uses it. */
export class DataDirInUseError extends UserError {
  override readonly name = 'DataDirInUseError'
}

/**
 * Takes the lock of `dataDir`, which must exist. Resolves to a function that releases the lock.
 * @throws DataDirInUseError if a running process holds the lock
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, LOCK_FILE)
  const mine = await describeProcess(process.pid)
  while (!(await tryCreate(path, mine))) {
    const owner = await readFile(path, 'utf8').catch(ignoreMissing)
    if (owner === undefined) continue
    const pid = Number.parseInt(owner, 10)
    if (pid !== process.pid && isAlive(pid) && owner === (await describeProcess(pid))) {
      throw new DataDirInUseError(
        `data_dir: ${dataDir} is used by another centripush (process ${pid}): stop it, or set another data_dir`,
      )
    }
    await rm(path, { force: true })
  }
  return () => rm(path, { force: true })
}

async function tryCreate(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx' })
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

/**
 * The content of the lock file: the pid and, on Linux, after a space the start time of the process. The time is needed
 * because after a restart of a container another process often has the same pid.
 */
export async function describeProcess(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The start time is field 22 of /proc/PID/stat (see proc(5)). The second field, the name in parentheses, may contain
  // spaces.
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return `${pid} ${startTime}\n`
}

/** Whether a process with this pid exists, even one of another user. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error
}

/** Whether `error` has this `code`, as errors of Node and of the PostgreSQL driver do. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
