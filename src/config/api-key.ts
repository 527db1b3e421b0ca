import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDataDir } from './data-dir.ts'

/**
 * The API key for a server whose configuration names none: made once, 128 random bits, readable by its owner only.
 * @throws ConfigError when `dataDir` can't be made
 */
export function loadOrMakeApiKey(dataDir: string): string {
  const file = join(dataDir, 'api_key')
  try {
    const key = readFileSync(file, 'utf8').trim()
    if (key !== '') return key
  } catch {
    // The first start: there is none yet. What else is wrong with the folder, writing tells.
  }
  const key = randomBytes(16).toString('hex')
  makeDataDir(dataDir)
  writeFileSync(file, `${key}\n`, { mode: 0o600 })
  return key
}
