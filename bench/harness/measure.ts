// Times, their percentiles, and the load of the machine during a measurement.
import { readFile } from 'node:fs/promises'
import { loadavg } from 'node:os'

/** The percentiles of a measurement. */
export interface Times {
  count: number
  p50Ms: number
  p99Ms: number
}

/** The percentiles of durations in ms. */
export function summarize(durationsMs: readonly number[]): Times {
  const sorted = [...durationsMs].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) }
}

/** The median; NaN without values. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

/** The duration of `work` in ms. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** The load of the machine during a measurement. */
export interface Surroundings {
  /** The share of CPU time that other guests of the host used; 0 where it is unknown. */
  stealPercent: number
  /** The load average of the last minute; the benchmark is part of it. */
  loadAverage: number
}

/** Runs `work` and adds the load of the machine to its result. */
export async function withSurroundings<T>(work: () => Promise<T>): Promise<T & Surroundings> {
  const before = await readCpuTimes()
  const result = await work()
  const after = await readCpuTimes()
  const total = after.total - before.total
  const stealPercent = total > 0 ? (100 * (after.steal - before.steal)) / total : 0
  return { ...result, stealPercent, loadAverage: loadavg()[0] ?? 0 }
}

/** Ticks since the boot; see proc(5). */
async function readCpuTimes(): Promise<{ total: number; steal: number }> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8').catch(() => '')).split('\n')
  // user, nice, system, idle, iowait, irq, softirq, steal; the other fields are part of user.
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number)
  return { total: ticks.reduce((sum, value) => sum + value, 0), steal: ticks[7] ?? 0 }
}
