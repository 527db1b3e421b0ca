import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDataDir } from './data-dir.ts'

/**
 * Loads the API key of a server without a configured key. It is made once, from 128 random bits, and only its owner can
 * read the file.
 * @throws ConfigError when `dataDir` can't be made or written
 */
export function loadOrMakeApiKey(dataDir: string): string {
  const file = join(dataDir, 'api_key')
  try {
    const key = readFileSync(file, 'utf8').trim()
    if (key !== '') return key
  } catch {
    // At the first start there is no file. Any other problem shows when it is written.
  }
  const key = randomBytes(16).toString('hex')
  makeDataDir(dataDir)
  writeFileSync(file, `${key}\n`, { mode: 0o600 })
  return key
}
