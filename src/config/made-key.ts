import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDataDir } from './data-dir.ts'

/**
 * Loads a key from its file in the data directory, for a server without a configured key: the API key, or the secret of
 * admin sessions. At the first start it is made from 128 random bits, in a file that only its owner can read.
 * @throws ConfigError if `dataDir` can't be made or written
 */
export function loadOrMakeKey(dataDir: string, name: 'api_key' | 'admin_secret'): string {
  const file = join(dataDir, name)
  try {
    const key = readFileSync(file, 'utf8').trim()
    if (key !== '') return key
  } catch {
    // There is no file at the first start. Any other problem of reading it shows when it is written.
  }
  const key = randomBytes(16).toString('hex')
  makeDataDir(dataDir)
  writeFileSync(file, `${key}\n`, { mode: 0o600 })
  return key
}
