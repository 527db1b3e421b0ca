import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError } from './config-error.ts'

/**
 * Makes `data_dir` and its missing parents.
 * @throws ConfigError when it can't be made or is not a directory
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
 * One level after another: Node's recursive mkdir never returns when a new entry fails with ENOENT, as in /proc.
 * @throws Error as mkdir(2) has it
 */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    // Another process may have made the directory in the meantime.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}
