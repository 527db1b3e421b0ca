// What the benchmarks run that npm doesn't bring.
import { spawnSync } from 'node:child_process'

const PACKAGES = {
  nghttpd: 'nghttp2-server',
  h2load: 'nghttp2-client',
  'redis-server': 'redis-server',
  wrk: 'wrk',
  go: 'golang-go',
} as const

export type ProgramName = keyof typeof PACKAGES

/** Whether a program is on the PATH. */
export function hasProgram(name: ProgramName): boolean {
  return spawnSync('which', [name], { stdio: 'ignore' }).status === 0
}

/** The program's name, to be spawned. @throws Error that says what to install */
export function findProgram(name: ProgramName): string {
  if (hasProgram(name)) return name
  throw new Error(`${name} is not on the PATH; Debian has it: apt-get install ${PACKAGES[name]}`)
}
