import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** A prepared SDK, or the reason why this machine can't run it. */
export type Toolchain<Tools> = { tools: Tools; missing: false } | { tools: undefined; missing: string }

/** Longer than a first installation or compilation. */
const TIMEOUT_MS = 240_000

/**
 * Prepares an SDK. Prints the reason of a failure, so that no test is skipped silently.
 * @throws Error with the reason when `CI=true`, because all tests must run there
 */
export async function prepareToolchain<Tools>(name: string, prepare: () => Promise<Tools>): Promise<Toolchain<Tools>> {
  try {
    return { tools: await prepare(), missing: false }
  } catch (error) {
    const missing = `${name} can't be used here: ${error instanceof Error ? error.message : 'unknown'}`
    if (process.env.CI === 'true') throw new Error(missing, { cause: error })
    console.warn(`SKIPPED: ${missing}`)
    return { tools: undefined, missing }
  }
}

/** The tools of a prepared toolchain. Tests skip themselves when it is missing. @throws Error when it is missing */
export function toolsOf<Tools>({ tools, missing }: Toolchain<Tools>): Tools {
  if (tools === undefined) throw new Error(String(missing))
  return tools
}

/**
 * Runs a program to its end. Resolves to its standard output.
 * @throws Error with its output when it can't be started or its exit code is not 0
 */
export async function runProgram(
  program: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const env = { ...process.env, ...options.env }
  try {
    const { stdout } = await promisify(execFile)(program, args, { ...options, env, timeout: TIMEOUT_MS })
    return stdout
  } catch (error) {
    throw new Error(`${program} ${args.join(' ')}: ${describeFailure(error)}`, { cause: error })
  }
}

function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const written = ['stdout', 'stderr'].map((name) => (name in error ? String(Reflect.get(error, name)) : '')).join('')
  return written.trim() || error.message
}
