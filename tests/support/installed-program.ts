// Programs that tests need: from the PATH, or from Debian's package when this process may install it.
import { execFileSync } from 'node:child_process'

const APT_LOCK = '/tmp/centripush-tests-apt.lock'
/** Debian keeps servers in a directory that is not on every PATH. */
const PATH = `${process.env.PATH}:/usr/sbin`

/**
 * The first of these programs that is installed. As root it installs a missing package.
 * @param packageName the package of Debian that contains the first program
 * @throws Error that names the package
 */
export function findOrInstall(programs: readonly string[], packageName: string): string {
  const found = findProgram(programs, packageName)
  if (found !== undefined) return found
  throw new Error(`these tests need a real ${programs.join(' or ')} (Debian: apt-get install ${packageName})`)
}

/** Does the same as findOrInstall() for programs that tests can do without. @returns undefined if there is none */
export function findProgram(programs: readonly string[], packageName: string): string | undefined {
  return findOnPath(programs) ?? install(programs, packageName)
}

function findOnPath(programs: readonly string[]): string | undefined {
  return programs.find((program) => succeeds('which', [program]))
}

function install(programs: readonly string[], packageName: string): string | undefined {
  if (process.getuid?.() !== 0 || !succeeds('apt-get', ['--version'])) return undefined
  console.log(`${programs[0]} is not on the PATH: installing it with apt-get`)
  // Test files run at the same time, and only one apt-get may run.
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', packageName]]) {
    succeeds('flock', [APT_LOCK, 'apt-get', ...args])
  }
  return findOnPath(programs)
}

function succeeds(program: string, args: string[]): boolean {
  try {
    // RUNLEVEL keeps Debian from starting the service of a package that it installs.
    const env = { ...process.env, PATH, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    execFileSync(program, args, { stdio: 'ignore', env })
    return true
  } catch {
    return false
  }
}
