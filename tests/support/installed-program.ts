// Programs that tests need: from the PATH, or from Debian's package when this process may install it.
import { execFileSync } from 'node:child_process'

/** Debian keeps servers in a directory that is not on every PATH. */
const PATH = `${process.env.PATH}:/usr/sbin`

/**
 * The first of these programs that is installed. As root it installs a missing package.
 * @param packages the packages of Debian that contain the first program
 * @throws Error that names the package
 */
export function findOrInstall(programs: readonly string[], packageName: string): string {
  const found = find(programs) ?? install(programs, packageName)
  if (found !== undefined) return found
  throw new Error(`these tests need a real ${programs.join(' or ')} (Debian: apt-get install ${packageName})`)
}

function find(programs: readonly string[]): string | undefined {
  return programs.find((program) => succeeds(program, ['--version']))
}

function install(programs: readonly string[], packageName: string): string | undefined {
  if (process.getuid?.() !== 0 || !succeeds('apt-get', ['--version'])) return undefined
  console.log(`${programs[0]} is not on the PATH: installing it with apt-get`)
  succeeds('apt-get', ['update'])
  succeeds('apt-get', ['install', '-y', '--no-install-recommends', packageName])
  return find(programs)
}

function succeeds(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore', env: { ...process.env, PATH, DEBIAN_FRONTEND: 'noninteractive' } })
    return true
  } catch {
    return false
  }
}
