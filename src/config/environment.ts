// Reads options from environment variables: CENTRIPUSH_ and the path in upper case, such as
// CENTRIPUSH_HTTP_SERVER_PORT. A variable that ends with _FILE names a file that contains the value, because container
// platforms mount secrets as files.
import { ConfigError } from './config-error.ts'
import { type ConfigTree, isTree } from './config-tree.ts'
import { checkVariable, variableOf } from './names/check-variable.ts'
import { collectNames, type KnownNames } from './names/known-names.ts'
import { findRenamed } from './names/renamed-options.ts'
import { listSections } from './options.ts'
import { readOptionFile } from './read-option-file.ts'
import { ConfigSchema } from './schema.ts'

const PREFIX = 'CENTRIPUSH_'
const CENTRIFUGO_PREFIX = 'CENTRIFUGO_'

/** The options that the environment sets. */
export interface EnvironmentConfig {
  tree: ConfigTree
  /** The variable that sets an option, by the path of the option with points. */
  origins: Map<string, string>
  /** Mistakes; each begins with the name of its variable. */
  problems: string[]
  /** Variables that begin with CENTRIPUSH_ and name options of Centrifugo that are not ours. */
  ignored: string[]
  /** Sentences about variables that have no effect. */
  notices: string[]
}

/** Reads the options that are set in `environment`. An empty variable counts as unset. */
export function readEnvironment(environment: NodeJS.ProcessEnv): EnvironmentConfig {
  const sections = listSections(ConfigSchema)
  const known = collectNames(sections)
  const paths = new Map(
    sections.flatMap(({ options }) => options.map(({ path }) => [variableOf(path.join('.')), path] as const)),
  )
  const result: EnvironmentConfig = { tree: {}, origins: new Map(), problems: [], ignored: [], notices: [] }
  const set = (name: string, path: readonly string[], value: string | undefined) => {
    const other = result.origins.get(path.join('.'))
    if (other !== undefined) result.problems.push(`${other} and ${name}: one of the two must not be set`)
    result.origins.set(path.join('.'), name)
    if (value !== undefined) setOption(result.tree, path, value)
  }
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX)) continue
    const value = dropLineEnd(text ?? '')
    const rest = name.slice(PREFIX.length)
    const path = paths.get(rest)
    const filePath = rest.endsWith('_FILE') ? paths.get(rest.slice(0, -'_FILE'.length)) : undefined
    if (value === '') noteEmpty(name, path ?? filePath, result)
    else if (path) set(name, path, value)
    else if (filePath) set(name, filePath, readSecret(name, value, result))
    else noteUnknown(name, checkVariable(rest, value, { prefix: PREFIX, ours: [...paths.keys()], known }), result)
  }
  result.notices.push(...noteCentrifugos(environment, new Set(paths.keys()), known))
  return result
}

function noteEmpty(name: string, path: readonly string[] | undefined, { notices }: EnvironmentConfig): void {
  if (path) notices.push(`${name} is empty and has no effect`)
}

function noteUnknown(name: string, check: ReturnType<typeof checkVariable>, result: EnvironmentConfig): void {
  if (check === 'foreign') result.ignored.push(name)
  else if (check !== 'platform') result.problems.push(`${name}: ${check.problem}`)
}

/** One sentence that names the variables of Centrifugo for options that centripush has too, if ours are not set. */
function noteCentrifugos(environment: NodeJS.ProcessEnv, ours: ReadonlySet<string>, known: KnownNames): string[] {
  const renames = Object.keys(environment).flatMap((name) => {
    if (!name.startsWith(CENTRIFUGO_PREFIX) || !environment[name]) return []
    const rest = name.slice(CENTRIFUGO_PREFIX.length)
    const today = ours.has(rest) ? rest : variableOf(findRenamed(rest.toLowerCase(), known.flat) ?? '')
    const isMissing = ours.has(today) && !environment[PREFIX + today] && !environment[`${PREFIX}${today}_FILE`]
    return isMissing ? [`${name} is ${PREFIX}${today}`] : []
  })
  if (renames.length === 0) return []
  return [`variables of Centrifugo have no effect, names of centripush begin with ${PREFIX}: ${renames.join(', ')}`]
}

function setOption(tree: ConfigTree, path: readonly string[], value: string): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) {
    tree[key] = value
    return
  }
  const existing = tree[key]
  const section: ConfigTree = isTree(existing) ? existing : {}
  setOption(section, rest, value)
  tree[key] = section
}

/** Reads the file that a variable names; undefined if it is empty or can't be read. */
function readSecret(name: string, file: string, { problems }: EnvironmentConfig): string | undefined {
  try {
    const secret = dropLineEnd(readOptionFile(name, file).toString())
    if (secret !== '') return secret
    problems.push(`${name}: ${file} is empty`)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(...error.problems)
  }
  return undefined
}

/** Files and values of shells often end with a line feed, which belongs to no option. */
function dropLineEnd(value: string): string {
  return value.replace(/[\r\n]+$/, '')
}
