import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024

/** Runs a program. Resolves to its standard output, and rejects when it fails. */
export async function run(program: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { cwd, env: { ...process.env, ...env }, maxBuffer: MAX_OUTPUT_BYTES }
  return (await promisify(execFile)(program, args, options)).stdout
}
