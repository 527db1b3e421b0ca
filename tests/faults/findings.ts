import type { Count } from './deliveries.ts'

/** The findings of a case. */
export class Findings {
  /** Repetitions of the fault: kills, restarts or requests. */
  rounds = 0
  /** Targets without a push. */
  lost = 0
  /** Pushes beyond the first of each target. */
  duplicates = 0
  /** The longest time in ms that the promise limits; undefined when the promise is not about time. */
  longestMs: number | undefined
  /** Broken promises, a sentence each; empty when all of them held. */
  readonly broken: string[] = []

  /** Adds the counts of one send. Lost targets and stray pushes break a promise. */
  add(count: Count): void {
    this.lost += count.lost
    this.duplicates += count.duplicates
    this.require(count.lost === 0, `${count.lost} targets were never sent to`)
    this.require(count.strays === 0, `${count.strays} pushes went to devices outside of the send`)
  }

  /** Keeps the longest time. */
  noteTime(ms: number): void {
    this.longestMs = Math.max(this.longestMs ?? 0, ms)
  }

  /** Adds `broken` to the broken promises unless `holds`. */
  require(holds: boolean, broken: string): void {
    if (!holds) this.broken.push(broken)
  }
}
