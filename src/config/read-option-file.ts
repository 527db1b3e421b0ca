import { readFileSync } from 'node:fs'
import { ConfigError } from './config-error.ts'

/**
 * Reads the file that an option names.
 * @throws ConfigError with the text `OPTION: FILE does not exist`, or with another reason why it can't be read
 */
export function readOptionFile(option: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new ConfigError(`${option}: ${file} ${explainFileError(error)}`, { cause: error })
  }
}

/** Why a file can't be read, as the rest of a sentence that begins with the name of the file. */
export function explainFileError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT':
      return 'does not exist'
    case 'EACCES':
      return 'must not be read by this user: change its permissions'
    case 'EISDIR':
      return 'is a directory, a file is expected'
    default:
      return `can't be read (${error instanceof Error ? error.message : 'unknown'})`
  }
}
