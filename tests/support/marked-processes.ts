// The processes of one server, wherever they are in the tree of processes: all have a mark in their environment.
import { readdirSync, readFileSync } from 'node:fs'

/** The variable with the mark. Children of a process inherit it. */
export const MARK = 'STOP_TEST_DIRECTORY'

/** The processes with the mark, from Linux's /proc. */
export function listMarked(mark: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => readText(`/proc/${pid}/environ`).includes(`${MARK}=${mark}`)).map(Number)
}

/** Those of them that send pushes. */
export function listWorkers(mark: string): number[] {
  return listMarked(mark).filter((pid) => readText(`/proc/${pid}/cmdline`).includes('worker-process'))
}

/** A file; empty if it is gone. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // The process has ended.
    return ''
  }
}
