import type { Sql } from '../../src/database/pool.ts'
import type { Surroundings } from '../harness/measure.ts'
import type { Report } from '../harness/report.ts'
import type { Broadcast } from './broadcast.ts'

/** What all measurements of a run share. */
export interface PipelineContext {
  sql: Sql
  dsn: string
  report: Report
  /** `worker.processes`; undefined leaves the default. */
  processes: number | undefined
  /** Where each process of the server writes a CPU profile; undefined: none does. */
  profileDir: string | undefined
}

/**
 * What is sent first, so that compilers are warm and connections open, as they are in a server that has run a while. After
 * 20,000 V8's compilers still take a tenth of the CPU, for seconds.
 */
export const WARM_UP_DEVICES = 200_000

/** The same where there are only `devices`. */
export function warmUpOf(devices: number): number {
  return Math.min(WARM_UP_DEVICES, devices)
}

export type MeasuredBroadcast = Broadcast & Surroundings

/** Microseconds of CPU for each push, of all parts together. */
export function totalMicros({ cpuMicros }: Broadcast): number {
  return Object.values(cpuMicros).reduce((sum: number, micros) => sum + micros, 0)
}

/** As the table has them. */
export function describeCpu({ cpuMicros }: Broadcast): string {
  const shares = Object.entries(cpuMicros).filter(([, micros]) => micros >= 0.05)
  return shares.map(([name, micros]) => `${name} ${micros.toFixed(1)}`).join(', ')
}
