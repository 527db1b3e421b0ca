import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError } from './config-error.ts'

/**
 * Makes the directory `data_dir` and its missing parents.
 * @throws ConfigError if it can't be made or is not a directory
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
 * Checks that `data_dir` could be made, and makes nothing.
 * @throws ConfigError if it is not a directory, or must not be written
 */
export function checkDataDir(dataDir: string): void {
  let path = resolve(dataDir)
  while (!existsSync(path)) path = dirname(path)
  if (!statSync(path).isDirectory()) {
    throw new ConfigError(`data_dir: ${dataDir} can't be used: ${path} is not a directory`)
  }
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new ConfigError(`data_dir: ${dataDir} can't be used: ${path} must not be written by this user`, {
      cause: error,
    })
  }
}

/**
 * Makes one missing directory after another. Node's recursive mkdir is not used: it never returns if a new entry fails
 * with ENOENT, as in /proc.
 * @throws Error of mkdir(2)
 */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    // The error does not count if another process has made the directory at the same time.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}
