import type { ChildProcess } from 'node:child_process'
import { setPriority } from 'node:os'

/**
 * Sets the niceness (see nice(1)) of a process that the caller has just started. The threads that it starts afterwards
 * inherit the niceness. A process can change it only for one of its threads, and those that collect garbage would keep
 * the normal priority.
 */
export function setNiceness({ pid }: ChildProcess, niceness: number): void {
  // Without an id the process was not started, which its 'error' event reports.
  if (pid !== undefined) setPriority(pid, niceness)
}
