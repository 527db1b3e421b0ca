// Programs of the benchmarks that are not npm packages.
import { spawnSync } from 'node:child_process'

const PACKAGES = {
  nghttpd: 'nghttp2-server',
  h2load: 'nghttp2-client',
  'redis-server': 'redis-server',
  wrk: 'wrk',
  go: 'golang-go',
} as const

/** The programs that a benchmark can run. */
export type ProgramName = keyof typeof PACKAGES

/** Whether a program is on the PATH. */
export function hasProgram(name: ProgramName): boolean {
  return spawnSync('which', [name], { stdio: 'ignore' }).status === 0
}

/** The program's name, for spawn(). @throws Error that names the package to install */
export function findProgram(name: ProgramName): string {
  if (hasProgram(name)) return name
  throw new Error(describeMissing(name))
}

/** A sentence for a program that is missing, with the package to install. */
export function describeMissing(name: ProgramName): string {
  return `${name} is not on the PATH; on Debian: apt-get install ${PACKAGES[name]}`
}
