// Loads the configuration: the environment overrides the file, defaults fill the rest. All problems are reported at
// once.
import * as v from 'valibot'
import { findContradictions } from './check.ts'
import { ConfigError } from './config-error.ts'
import { type ConfigTree, isTree } from './config-tree.ts'
import { readEnvironment } from './environment.ts'
import { readConfigFile } from './file/read-config-file.ts'
import { checkNames } from './names/check-names.ts'
import { trustAuthority } from './postgres/postgres-dsn.ts'
import { type Config, ConfigSchema } from './schema.ts'

export interface LoadedConfig {
  config: Config
  /**
   * Options of Centrifugo that are set and that this server does not have, as dotted paths (`engine.type`) or names of
   * variables. They are known and without effect, so that a file of Centrifugo can be used as it stands.
   */
  ignored: string[]
  /** Sentences about settings that have another effect than the operator may expect, or none. */
  notices: string[]
}

/**
 * Loads the configuration from `file` (JSON, YAML or TOML, by its ending; undefined: no file) and from the environment.
 * @throws ConfigError with all problems
 */
export function loadConfig(file: string | undefined, environment: NodeJS.ProcessEnv): LoadedConfig {
  const fromFile = file === undefined ? {} : readConfigFile(file)
  const { tree, origins, problems, ignored, notices } = readEnvironment(environment)
  const read = readTree(merge(fromFile, tree), { origins, problems })
  return {
    config: read.config,
    ignored: [...read.ignored, ...ignored],
    notices: [...read.features, ...notices],
  }
}

/** Checks a configuration and fills in its defaults. @throws ConfigError with all problems, each with its path */
export function parseConfig(input: object): Config {
  return readTree(input, { origins: new Map(), problems: [] }).config
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

/**
 * Checks names and values.
 * @param origins the environment variables that set options, by path
 * @param problems other problems, which are reported first
 */
function readTree(tree: object, { origins, problems }: { origins: ReadonlyMap<string, string>; problems: string[] }) {
  const names = checkNames(tree)
  const result = v.safeParse(ConfigSchema, tree)
  const wrong = new Set(names.problems.map(({ path }) => path))
  const values = (result.issues ?? []).map(describeIssue).filter(({ path }) => !isInside(path, wrong))
  const found = [...problems, ...[...names.problems, ...values].map(({ path, text }) => describe(path, text, origins))]
  if (result.success && found.length === 0) found.push(...findContradictions(result.output))
  if (!result.success || found.length > 0) throw new ConfigError(found)
  return { config: trustAuthorityOf(result.output), ...names }
}

function describeIssue(issue: v.BaseIssue<unknown>): { path: string; text: string } {
  const path = v.getDotPath(issue) ?? '(root)'
  // A missing option is reported by its section.
  return { path, text: issue.kind === 'schema' && issue.received === 'undefined' ? 'is needed' : issue.message }
}

/** Whether a problem with a name has this path, or is above it: the problem with the value follows from it. */
function isInside(path: string, wrong: ReadonlySet<string>): boolean {
  const names = path.split('.')
  return names.some((_, end) => wrong.has(names.slice(0, end + 1).join('.')))
}

/** A problem as text. If the environment sets the option, it names the variable. */
function describe(path: string, text: string, origins: ReadonlyMap<string, string>): string {
  const names = path.split('.')
  const variable = names.map((_, end) => origins.get(names.slice(0, end + 1).join('.'))).find(Boolean)
  return variable === undefined ? `${path}: ${text}` : `${path} (${variable}): ${text}`
}

/** Merges two sets of options; where both have an option, that of `over` wins. */
function merge(under: ConfigTree, over: ConfigTree): ConfigTree {
  const merged: ConfigTree = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    if (!isTree(value) || below === undefined || below === null) merged[key] = value
    // A value in place of a section stays, so that the mistake is reported.
    else merged[key] = isTree(below) ? merge(below, value) : below
  }
  return merged
}
