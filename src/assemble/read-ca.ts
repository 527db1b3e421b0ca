import { readFileSync } from 'node:fs'
import { ConfigError } from '../config/config-error.ts'

/** The authority (PEM) in a file that `option` names; undefined without one. @throws ConfigError */
export function readCa(option: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`${option}: can't be read (${error instanceof Error ? error.message : 'unknown'})`)
  }
}
