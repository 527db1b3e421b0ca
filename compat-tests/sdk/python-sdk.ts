// The Python SDK, in a virtual environment below .cache/ that the first run creates.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { SdkServer } from './sdk-server.ts'
import { prepareToolchain, runProgram, type Toolchain } from './toolchain.ts'

const SCRIPTS = resolve(import.meta.dirname, 'python')
const REQUIREMENTS = join(SCRIPTS, 'requirements.txt')
const CACHE = resolve(import.meta.dirname, '../../.cache')

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
    const python = join(await makeEnvironment(), 'bin', 'python')
    const run: PythonSdk['run'] = (script, server, ...args) => {
      const { api, key } = server
      const env = { CENTRIPUSH_TEST_API: api, CENTRIPUSH_TEST_KEY: key, PYTHONDONTWRITEBYTECODE: '1' }
      return runProgram(python, [join(SCRIPTS, script), ...args], { env })
    }
    return { run }
  })
}

async function makeEnvironment(): Promise<string> {
  const version = await runProgram('python3', ['--version'])
  const requirements = await readFile(REQUIREMENTS)
  const key = createHash('sha256').update(version).update(requirements).digest('hex').slice(0, 12)
  const directory = join(CACHE, `cent-${key}`)
  if (await isUsable(directory)) return directory
  await rm(directory, { recursive: true, force: true })
  // Test files prepare concurrently. Each creates its own environment, and the first to finish moves it to the final
  // path.
  await mkdir(CACHE, { recursive: true })
  const building = await mkdtemp(`${directory}-`)
  await runProgram('python3', ['-m', 'venv', building])
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]
  await runProgram(join(building, 'bin', 'python'), install)
  await rename(building, directory).catch(async (error: unknown) => {
    await rm(building, { recursive: true, force: true })
    if (!(await isUsable(directory))) throw error
  })
  return directory
}

async function isUsable(directory: string): Promise<boolean> {
  try {
    await runProgram(join(directory, 'bin', 'python'), ['-c', 'import cent'])
    return true
  } catch {
    // The environment does not exist yet, or its Python was removed.
    return false
  }
}
