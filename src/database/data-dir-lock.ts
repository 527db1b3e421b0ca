// One process per data directory: a file with the pid of its owner. A process that is killed leaves it behind, so a lock
// whose owner is gone is taken over.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../config/user-error.ts'

const LOCK_FILE = 'centripush.lock'

/** Another living process works on the data directory. */
export class DataDirInUseError extends UserError {
  override readonly name = 'DataDirInUseError'
}

/**
 * Takes the lock of `dataDir`, which must exist; resolves to what gives it back.
 * @throws DataDirInUseError when a living process holds it
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
        `${dataDir} is used by another centripush (process ${pid}): stop it, or give this one a data_dir of its own`,
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
 * The pid and, on Linux, when the process started: after a restart of a container the same pid is often another's.
 */
async function describeProcess(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Field 22; the second field, the name in parentheses, may hold spaces. See proc(5).
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return `${pid} ${startTime}\n`
}

/** Whether a process with this pid exists, whoever owns it. */
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

/** Whether it is an error with this code, as Node's and the driver's have one. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
