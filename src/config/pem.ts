import { readFileSync } from 'node:fs'
import { ConfigError } from './config-error.ts'
import { explainFileError } from './read-option-file.ts'

/** Longer values are no path that an error has to show. */
const MAX_PATH = 200

/**
 * Reads the PEM material of an option: the text itself, its base64, or the path of a file.
 * @throws ConfigError that names `option`
 */
export function readPem(option: string, value: string): string {
  if (value.includes('-----BEGIN')) return value
  const decoded = Buffer.from(value, 'base64').toString('latin1')
  if (decoded.includes('-----BEGIN')) return decoded
  try {
    return readFileSync(value, 'utf8')
  } catch (error) {
    // A value that is no path may be a key, so only a short one without line breaks is shown.
    const isPath = value.length < MAX_PATH && !/\s/.test(value)
    const why = isPath ? `; ${value} ${explainFileError(error)}` : ''
    throw new ConfigError(`${option}: expected PEM, base64 of PEM, or a readable file${why}`, { cause: error })
  }
}
