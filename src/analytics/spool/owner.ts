// Each process has a directory of its own in a spool, whose name tells others whether the process is still running:
//
//   PLACE-PID-STARTTIME-RANDOM
//
// PLACE stands for the machine and its PID namespace. Only there does a pid name a process: in another container the
// same pid belongs to another process. Directories of other places are judged by their time, which a running process
// moves on every minute.
import { createHash, randomBytes } from 'node:crypto'
import { readFile, readlink, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describeProcess, isAlive } from '../../database/data-dir-lock.ts'

const OWNER_NAME = /^(?<place>[0-9a-f]{12})-(?<pid>\d+)-(?<startTime>\d*)-[0-9a-f]+$/

/** How old the time of a directory is at most while its process runs elsewhere, in ms: two of its moves may fail. */
const MAX_SILENCE_MS = 180_000

/** Makes the name for a directory of this process. */
export async function nameOwner(): Promise<string> {
  const [pid, startTime = ''] = (await describeProcess(process.pid)).trim().split(' ')
  return `${await describePlace()}-${pid}-${startTime}-${randomBytes(4).toString('hex')}`
}

/** Whether the process of a directory is running. A directory with an unknown name is left alone. */
export async function isRunning(root: string, owner: string): Promise<boolean> {
  const { place, pid = '', startTime } = OWNER_NAME.exec(owner)?.groups ?? {}
  if (place === undefined) return true
  if (place !== (await describePlace())) {
    // A directory that is gone has nothing to take over.
    const time = await stat(join(root, owner)).catch(() => undefined)
    return !time || Date.now() - time.mtimeMs < MAX_SILENCE_MS
  }
  // Directories of this process are not asked for, so an equal pid is that of an earlier one.
  if (Number(pid) === process.pid || !isAlive(Number(pid))) return false
  return (await describeProcess(Number(pid))) === `${pid} ${startTime}\n`
}

/** The boot of the machine and the PID namespace, or the name of the host where there is no /proc. */
async function describePlace(): Promise<string> {
  const parts = [readFile('/proc/sys/kernel/random/boot_id', 'utf8'), readlink('/proc/self/ns/pid')]
  const place = await Promise.all(parts).catch(() => [hostname()])
  return createHash('sha256').update(place.join()).digest('hex').slice(0, 12)
}
