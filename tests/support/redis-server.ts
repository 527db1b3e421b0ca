// The Redis of tests: a real server from the PATH, else Debian's package where it may be installed.
import { execFileSync } from 'node:child_process'

const PROGRAMS = ['redis-server', 'valkey-server']

/** The name of the program. Installs Debian's package when there is none and this is root. @throws Error that says what to do */
export function findRedisServer(): string {
  return findProgram() ?? installPackage()
}

/** Called by vitest before the first test, so that no two of its processes install at once. Who needs it is told by itself. */
export function setup(): void {
  try {
    findRedisServer()
  } catch (error) {
    console.warn(error instanceof Error ? error.message : error)
  }
}

function findProgram(): string | undefined {
  return PROGRAMS.find((program) => succeeds(program, ['--version']))
}

function installPackage(): string {
  const isAllowed = process.getuid?.() === 0 && succeeds('apt-get', ['--version'])
  if (isAllowed) {
    console.log('redis-server is not on the PATH: installing it with apt-get')
    succeeds('apt-get', ['update'])
    succeeds('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'])
  }
  const program = findProgram()
  if (program) return program
  throw new Error(
    'these tests need a real Redis: install redis-server or valkey-server (Debian: apt-get install redis-server)',
  )
}

function succeeds(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
    return true
  } catch {
    return false
  }
}
