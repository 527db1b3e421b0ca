import { readFileSync } from 'node:fs'
import * as v from 'valibot'

const Package = v.object({ version: v.string() })

/** The version of centripush. */
export function readVersion(): string {
  return v.parse(Package, JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))).version
}
