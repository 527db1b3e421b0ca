import type { Sql } from '../../src/database/pool.ts'
import type { Surroundings } from '../harness/measure.ts'
import type { Report } from '../harness/report.ts'
import type { AnalyticsName } from './analytics.ts'
import type { Broadcast } from './broadcast.ts'

/** The parts that all measurements of a run share. */
export interface PipelineContext {
  sql: Sql
  dsn: string
  report: Report
  /** `worker.processes`; undefined: as many as the default starts for a load. */
  processes: number | undefined
  /** The store of analytics. */
  analytics: AnalyticsName
  /** The directory for a CPU profile of each process of the server; undefined for no profiles. */
  profileDir: string | undefined
}

/**
 * The size of the warm-up broadcast, after which V8's compilers are idle and connections are open. After 20,000 devices
 * the compilers still use a tenth of the CPU for seconds.
 */
export const WARM_UP_DEVICES = 200_000

/** The size of the warm-up with at most `devices`. */
export function warmUpOf(devices: number): number {
  return Math.min(WARM_UP_DEVICES, devices)
}

/** A broadcast, with the load of the machine. */
export type MeasuredBroadcast = Broadcast & Surroundings

/** The microseconds of CPU of a push in all processes together. */
export function totalMicros({ cpuMicros }: Broadcast): number {
  return Object.values(cpuMicros).reduce((sum: number, micros) => sum + micros, 0)
}

/** The microseconds of CPU of a push in each process, for the table. */
export function describeCpu({ cpuMicros }: Broadcast): string {
  const shares = Object.entries(cpuMicros).filter(([, micros]) => micros >= 0.05)
  return shares.map(([name, micros]) => `${name} ${micros.toFixed(1)}`).join(', ')
}
