// CPU time and memory of processes, from /proc (proc(5)); Linux only.
import { readdir, readFile } from 'node:fs/promises'

/** proc(5): ticks are hundredths of a second on every platform that Node runs on. */
const TICK_MS = 10
/** Fields of /proc/<pid>/stat, counted from the state, which follows the name. */
const FIELD = { parent: 1, user: 11, system: 12, childrenUser: 13, childrenSystem: 14 }

/** The CPU time of a process and of its ended children in ms; 0 for an ended process. */
export async function readCpuMs(pid: number): Promise<number> {
  const fields = await readStat(pid)
  const ticks = [FIELD.user, FIELD.system, FIELD.childrenUser, FIELD.childrenSystem].map((field) =>
    Number(fields[field]),
  )
  return fields.length === 0 ? 0 : ticks.reduce((sum, value) => sum + value, 0) * TICK_MS
}

/** The CPU time of a process and of its running and ended children in ms. */
export async function readTreeCpuMs(pid: number): Promise<number> {
  return sumTree(pid, readCpuMs)
}

/**
 * The CPU time of the running threads of a process and of its running children in ns. Ended ones are not counted, so
 * this is for short measurements, for which a tick is too long.
 */
export async function readTreeNanos(pid: number): Promise<number> {
  return sumTree(pid, readThreadNanos)
}

/** The sum of what `read` returns for a process and its running children. */
async function sumTree(pid: number, read: (pid: number) => Promise<number>): Promise<number> {
  const times = await Promise.all([pid, ...(await readChildren(pid))].map(read))
  return times.reduce((sum, time) => sum + time, 0)
}

async function readThreadNanos(pid: number): Promise<number> {
  const directory = `/proc/${pid}/task`
  const threads = await readdir(directory).catch(() => [])
  const texts = await Promise.all(
    threads.map((id) => readFile(`${directory}/${id}/schedstat`, 'utf8').catch(() => '0')),
  )
  return texts.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0)
}

/** The running children of a process. */
export async function readChildren(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').filter(Boolean).map(Number)
}

/** The parent of a process. */
export async function readParent(pid: number): Promise<number> {
  return Number((await readStat(pid))[FIELD.parent])
}

/** The resident bytes of a process; 0 for an ended process. */
export async function readResidentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1] ?? 0) * 1024
}

async function readStat(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name, in parentheses, may contain any character.
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .filter(Boolean)
}
