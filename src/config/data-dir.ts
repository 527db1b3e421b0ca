import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError } from './config-error.ts'

/**
 * Makes `data_dir` and what it is in, where that is missing.
 * @throws ConfigError when it can't be made, or is something else than a directory
 */
export function makeDataDir(dataDir: string): void {
  try {
    makeDirectory(resolve(dataDir))
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    throw new ConfigError(`data_dir: ${dataDir} can't be used: ${why}`, { cause: error })
  }
}

/**
 * Level by level: Node's own recursive mkdir never returns where a directory says ENOENT to a new entry, as /proc does.
 * @throws Error as mkdir(2) has it
 */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    // Another process that starts with the same directory may be quicker.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}
