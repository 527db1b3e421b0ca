// Loads the configuration: the environment overrides the file, defaults fill the rest. All problems are reported at
// once.
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { parse as parseToml } from 'smol-toml'
import * as v from 'valibot'
import { parse as parseYaml } from 'yaml'
import { findContradictions } from './check.ts'
import { ConfigError } from './config-error.ts'
import { type ConfigTree, readEnvironment } from './environment.ts'
import { listOptions } from './options.ts'
import { trustAuthority } from './postgres/postgres-dsn.ts'
import { explainFileError } from './read-option-file.ts'
import { type Config, ConfigSchema } from './schema.ts'

export interface LoadedConfig {
  config: Config
  /**
   * Options that the configuration file sets and this server does not have, as dotted paths (`engine.type`): options of
   * Centrifugo, whose file may be used as it stands, and misspelt ones.
   */
  ignored: string[]
}

/**
 * Loads the configuration from `file` (JSON, YAML or TOML, by its ending; undefined: no file) and from the environment.
 * @throws ConfigError with all problems
 */
export function loadConfig(file: string | undefined, environment: NodeJS.ProcessEnv): LoadedConfig {
  const fromFile = file === undefined ? {} : readConfigFile(file)
  const { tree, unknown } = readEnvironment(environment)
  return { config: parseConfig(merge(fromFile, tree)), ignored: [...ignoredOptions(fromFile), ...unknown] }
}

/** Checks a configuration and fills in its defaults. @throws ConfigError with all problems, each with its path */
export function parseConfig(input: unknown): Config {
  const result = v.safeParse(ConfigSchema, input)
  const problems = result.success
    ? findContradictions(result.output)
    : result.issues.map((issue) => `${v.getDotPath(issue) ?? '(root)'}: ${issue.message}`)
  if (!result.success || problems.length > 0) throw new ConfigError(problems)
  return trustAuthorityOf(result.output)
}

/** Adds `database.postgresql.ca_file` to the DSNs. */
function trustAuthorityOf(config: Config): Config {
  const { database, push_notifications: push } = config
  const caFile = database?.postgresql.ca_file
  if (database === undefined || caFile === undefined) return config
  const trust = <T extends { dsn?: string | undefined }>(options: T): T =>
    options.dsn === undefined ? options : { ...options, dsn: trustAuthority(options.dsn, caFile) }
  const replica_dsn = database.postgresql.replica_dsn.map((dsn) => trustAuthority(dsn, caFile))
  return {
    ...config,
    database: { ...database, postgresql: { ...trust(database.postgresql), replica_dsn } },
    push_notifications: { ...push, queue: { ...push.queue, postgresql: trust(push.queue.postgresql) } },
  }
}

function readConfigFile(file: string): ConfigTree {
  const tree = parseFile(file, readFile(file))
  if (!isTree(tree)) throw new ConfigError(`${file}: expected an object of options`)
  return tree
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`${file} ${explainFileError(error)}`, { cause: error })
  }
}

function parseFile(file: string, content: string): unknown {
  try {
    switch (extname(file)) {
      case '.json':
        return JSON.parse(content)
      case '.toml':
        return parseToml(content)
      case '.yaml':
      case '.yml':
        return parseYaml(content) ?? {}
    }
  } catch (error) {
    throw new ConfigError(`${file}: ${error instanceof Error ? error.message : 'does not parse'}`)
  }
  throw new ConfigError(`${file}: expected a name that ends with .json, .yaml, .yml or .toml`)
}

function isTree(value: unknown): value is ConfigTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Merges two sets of options; where both have an option, that of `over` wins. */
function merge(under: ConfigTree, over: ConfigTree): ConfigTree {
  const merged: ConfigTree = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    merged[key] = isTree(value) && isTree(below) ? merge(below, value) : value
  }
  return merged
}

/** The paths in `tree` that are not in the schema. Of an unknown section only its own path is listed. */
function ignoredOptions(tree: ConfigTree): string[] {
  const known = new Set(
    listOptions(ConfigSchema).flatMap(({ path }) => path.map((_, end) => path.slice(0, end + 1).join('.'))),
  )
  const find = (branch: ConfigTree, path: string[]): string[] =>
    Object.entries(branch).flatMap(([key, value]) => {
      const here = [...path, key]
      if (!known.has(here.join('.'))) return [here.join('.')]
      return isTree(value) ? find(value, here) : []
    })
  return find(tree, [])
}
