// What processes use, from /proc (proc(5)); Linux only.
import { readFile } from 'node:fs/promises'

/** proc(5): ticks are hundredths of a second on every platform that Node runs on. */
const TICK_MS = 10
/** Places in /proc/<pid>/stat, counted from the state, which is the first after the name. */
const FIELD = { parent: 1, user: 11, system: 12, childrenUser: 13, childrenSystem: 14 }

/** CPU time in ms that a process has used, with that of children who have ended. 0 for one that is gone. */
export async function readCpuMs(pid: number): Promise<number> {
  const fields = await readStat(pid)
  const ticks = [FIELD.user, FIELD.system, FIELD.childrenUser, FIELD.childrenSystem].map((field) =>
    Number(fields[field]),
  )
  return fields.length === 0 ? 0 : ticks.reduce((sum, value) => sum + value, 0) * TICK_MS
}

/** CPU time in ms of a process and of its children, those who have ended among them. */
export async function readTreeCpuMs(pid: number): Promise<number> {
  const pids = [pid, ...(await readChildren(pid))]
  const times = await Promise.all(pids.map(readCpuMs))
  return times.reduce((sum, ms) => sum + ms, 0)
}

/** The processes that a process has started and that still run. */
export async function readChildren(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').filter(Boolean).map(Number)
}

export async function readParent(pid: number): Promise<number> {
  return Number((await readStat(pid))[FIELD.parent])
}

/** Resident bytes; 0 for a process that is gone. */
export async function readResidentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1] ?? 0) * 1024
}

async function readStat(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name, in parentheses, may hold anything.
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .filter(Boolean)
}
