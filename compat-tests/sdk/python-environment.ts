// A virtual environment with Python packages, below .cache/. The first run creates it.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { runProgram } from './toolchain.ts'

const CACHE = resolve(import.meta.dirname, '../../.cache')

/**
 * Makes the environment of a requirements file, unless it exists. Resolves to the path of its Python.
 * @param module the module that must be importable
 */
export async function makePythonEnvironment(requirementsFile: string, module: string): Promise<string> {
  const version = await runProgram('python3', ['--version'])
  const requirements = await readFile(requirementsFile)
  const key = createHash('sha256').update(version).update(requirements).digest('hex').slice(0, 12)
  const directory = join(CACHE, `${module}-${key}`)
  const python = join(directory, 'bin', 'python')
  if (await isUsable(python, module)) return python
  await rm(directory, { recursive: true, force: true })
  // Test files prepare concurrently. Each creates its own environment, and the first to finish moves it to the final
  // path.
  await mkdir(CACHE, { recursive: true })
  const building = await mkdtemp(`${directory}-`)
  await runProgram('python3', ['-m', 'venv', building])
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirementsFile]
  await runProgram(join(building, 'bin', 'python'), install)
  await rename(building, directory).catch(async (error: unknown) => {
    await rm(building, { recursive: true, force: true })
    if (!(await isUsable(python, module))) throw error
  })
  return python
}

async function isUsable(python: string, module: string): Promise<boolean> {
  try {
    await runProgram(python, ['-c', `import ${module}`])
    return true
  } catch {
    // The environment does not exist yet, or its Python was removed.
    return false
  }
}
