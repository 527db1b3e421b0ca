import { execFileSync } from 'node:child_process'

/**
 * Finds a program of a Debian package on the PATH, and installs the package if this process may.
 * @returns undefined if it is not there and can't be installed
 */
export function findDebianProgram(program: string, name = program): string | undefined {
  if (succeeds('which', [program])) return program
  const isAllowed = process.getuid?.() === 0 && succeeds('apt-get', ['--version'])
  if (!isAllowed) return undefined
  console.log(`${program} is not on the PATH: installing it with apt-get`)
  succeeds('apt-get', ['update'])
  succeeds('apt-get', ['install', '-y', '--no-install-recommends', name], POLICY)
  return succeeds('which', [program]) ? program : undefined
}

/** Keeps Debian from starting the service of a package that it installs. */
const POLICY = { RUNLEVEL: '1' }

function succeeds(program: string, args: string[], env: Record<string, string> = {}): boolean {
  try {
    const variables = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', ...env }
    execFileSync(program, args, { stdio: 'ignore', env: variables })
    return true
  } catch {
    return false
  }
}
