import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'

/** In bytes. Worker processes take 60 MB each, and PostgreSQL needs memory too. */
const SMALL_MEMORY = 2 * 1024 ** 3
const CPU_QUOTA = '/sys/fs/cgroup/cpu.max'

/**
 * The default of `worker.processes`: two more than cores, because some wait for a provider or for the queue while
 * others use the cores. 1 on a small machine: one core, or less than 2 GB of memory.
 */
export function chooseProcesses(cores = countCores(), memory = readMemory()): number {
  return cores === 1 || memory < SMALL_MEMORY ? 1 : cores + 2
}

/** The cores of this process, also when a container limits their time. */
export function countCores(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(readCpuQuota())))
}

/** The cores' time that Linux allows to this container; see cgroup v2, `cpu.max`. */
function readCpuQuota(): number {
  try {
    const [quota, period] = readFileSync(CPU_QUOTA, 'utf8').split(' ')
    return quota === 'max' ? Number.POSITIVE_INFINITY : Number(quota) / Number(period)
  } catch {
    // Not Linux, or not in a container.
    return Number.POSITIVE_INFINITY
  }
}

/** The memory of the machine, or the limit of its container, in bytes. */
function readMemory(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}
