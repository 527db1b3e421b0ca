import { join, resolve } from 'node:path'
import { makePythonEnvironment } from './python-environment.ts'
import type { SdkServer } from './sdk-server.ts'
import { prepareToolchain, runProgram, type Toolchain } from './toolchain.ts'

const SCRIPTS = resolve(import.meta.dirname, 'python')
const REQUIREMENTS = join(SCRIPTS, 'requirements.txt')

export interface PythonSdk {
  /**
   * Runs a script of `python/` against the server. Resolves to its output.
   * @throws Error with its output when an expectation of the script fails
   */
  run(script: string, server: SdkServer, ...args: string[]): Promise<string>
}

/** Prepares `cent` from PyPI. */
export function preparePythonSdk(): Promise<Toolchain<PythonSdk>> {
  return prepareToolchain('cent, the Python SDK,', async () => {
    const python = await makePythonEnvironment(REQUIREMENTS, 'cent')
    const run: PythonSdk['run'] = (script, server, ...args) => {
      const { api, key } = server
      const env = { CENTRIPUSH_TEST_API: api, CENTRIPUSH_TEST_KEY: key, PYTHONDONTWRITEBYTECODE: '1' }
      return runProgram(python, [join(SCRIPTS, script), ...args], { env })
    }
    return { run }
  })
}
