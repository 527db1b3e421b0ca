import type { Count } from './deliveries.ts'

/** What a case found out. */
export class Findings {
  /** Kills, restarts or whatever else the case repeats. */
  rounds = 0
  lost = 0
  duplicates = 0
  /** The longest time in ms that the case promises something about; undefined where it doesn't. */
  longestMs: number | undefined
  /** The promises that were broken, a sentence each; empty is what a case is to end with. */
  readonly broken: string[] = []

  /** Adds what the log says of one send, of which nothing may be lost, or go to somebody else. */
  add(count: Count): void {
    this.lost += count.lost
    this.duplicates += count.duplicates
    this.require(count.lost === 0, `${count.lost} targets were never sent to`)
    this.require(count.strays === 0, `${count.strays} pushes went to devices that are not meant`)
  }

  /** Keeps the longest. */
  noteTime(ms: number): void {
    this.longestMs = Math.max(this.longestMs ?? 0, ms)
  }

  /** Notes a broken promise unless `holds`. */
  require(holds: boolean, broken: string): void {
    if (!holds) this.broken.push(broken)
  }
}
