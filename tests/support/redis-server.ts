// The Redis server of tests: from the PATH, or from Debian's package when this process may install it.
import { execFileSync } from 'node:child_process'

const PROGRAMS = ['redis-server', 'valkey-server']

/** The name of the program. As root it installs a missing package. @throws Error that names the package */
export function findRedisServer(): string {
  return findProgram() ?? installPackage()
}

/** Called by vitest before the first test, so that its processes do not install at the same time. */
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
