// Reads options from environment variables: CENTRIPUSH_ and the path in upper case, such as
// CENTRIPUSH_HTTP_SERVER_PORT. A variable that ends with _FILE names a file that contains the value, because container
// platforms mount secrets as files.
import { listOptions } from './options.ts'
import { readOptionFile } from './read-option-file.ts'
import { ConfigSchema } from './schema.ts'

const PREFIX = 'CENTRIPUSH_'

export type ConfigTree = { [key: string]: unknown }

export interface EnvironmentConfig {
  tree: ConfigTree
  /** Names of variables that begin with CENTRIPUSH_ but name no option. */
  unknown: string[]
}

/**
 * The options that are set in `environment`. An empty variable counts as unset.
 * @throws ConfigError if a file can't be read
 */
export function readEnvironment(environment: NodeJS.ProcessEnv): EnvironmentConfig {
  const paths = new Map(listOptions(ConfigSchema).map(({ path }) => [PREFIX + path.join('_').toUpperCase(), path]))
  const tree: ConfigTree = {}
  const unknown: string[] = []
  for (const [name, value] of Object.entries(environment)) {
    const text = dropLineEnd(value ?? '')
    if (!name.startsWith(PREFIX) || text === '') continue
    const path = paths.get(name)
    const filePath = paths.get(name.replace(/_FILE$/, ''))
    if (path) setOption(tree, path, text)
    else if (filePath && name.endsWith('_FILE')) setOption(tree, filePath, readSecret(name, text))
    else unknown.push(name)
  }
  return { tree, unknown }
}

function setOption(tree: ConfigTree, path: readonly string[], value: string): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) {
    tree[key] = value
    return
  }
  const section: ConfigTree = {}
  const existing = tree[key]
  Object.assign(section, existing)
  setOption(section, rest, value)
  tree[key] = section
}

function readSecret(name: string, file: string): string {
  return dropLineEnd(readOptionFile(name, file).toString())
}

/** Files and values of shells often end with a line feed, which belongs to no option. */
function dropLineEnd(value: string): string {
  return value.replace(/[\r\n]+$/, '')
}
