import { readFileSync } from 'node:fs'
import { ConfigError } from './config-error.ts'

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
    throw new ConfigError(`${option}: expected PEM, base64 of PEM, or a readable file`, { cause: error })
  }
}
