import { listOptions } from './options.ts'
import { type Config, ConfigSchema } from './schema.ts'

/** The text in place of a secret. */
const HIDDEN = '(hidden)'

/** A copy of a configuration with a placeholder in place of each secret that is set. */
export function hideSecrets(config: Config): unknown {
  const secrets = new Set(listOptions(ConfigSchema).flatMap(({ path, isSecret }) => (isSecret ? [path.join('.')] : [])))
  return hide(config, secrets, [])
}

/** @param secrets paths of secret options */
function hide(value: unknown, secrets: ReadonlySet<string>, path: readonly string[]): unknown {
  if (secrets.has(path.join('.'))) return isEmpty(value) ? value : HIDDEN
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hide(inner, secrets, [...path, key])]))
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}
