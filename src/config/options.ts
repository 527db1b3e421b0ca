// The options of a schema as a list: for environment variables, for unknown keys, for secrets, for the reference.
import * as v from 'valibot'

/** One option of the configuration. */
export interface ConfigOption {
  path: readonly string[]
  /** Its documentation; empty without. */
  description: string
  /** The name of its kind of values: `duration`. */
  kind: string
  /** As it is written; undefined for an option without one. */
  defaultValue: unknown
  /** Whether its value must not be printed. */
  isSecret: boolean
}

/** A group of options. */
export interface ConfigSection {
  path: readonly string[]
  description: string
  /** The path of the section with the same options; undefined when its options are listed here only. */
  like: string | undefined
  options: readonly ConfigOption[]
}

const Metadata = v.object({
  kind: v.optional(v.string(), ''),
  isSecret: v.optional(v.boolean(), false),
  likeSection: v.optional(v.string()),
})

/** The sections of a schema, each before those in it; the first one is the root. */
export function listSections(schema: v.GenericSchema, path: readonly string[] = [], description = ''): ConfigSection[] {
  const { value } = unwrap(schema)
  const like = v.parse(Metadata, v.getMetadata(value)).likeSection
  const entries = entriesOf(value) ?? []
  const inner = entries.filter(([, entry]) => entriesOf(unwrap(entry).value))
  return [
    { path, description, like, options: entries.flatMap(([key, entry]) => describeOption(entry, [...path, key])) },
    ...inner.flatMap(([key, entry]) => listSections(entry, [...path, key], v.getDescription(entry) ?? '')),
  ]
}

/** All options of a schema. */
export function listOptions(schema: v.GenericSchema): ConfigOption[] {
  return listSections(schema).flatMap(({ options }) => options)
}

/** Empty for a section. */
function describeOption(entry: v.GenericSchema, path: readonly string[]): ConfigOption[] {
  const { value, defaultValue } = unwrap(entry)
  if (entriesOf(value)) return []
  const { kind, isSecret } = v.parse(Metadata, v.getMetadata(value))
  return [{ path, description: v.getDescription(entry) ?? '', kind, defaultValue, isSecret }]
}

/** The schema inside of v.optional(), and its default. */
function unwrap(schema: v.GenericSchema): { value: v.GenericSchema; defaultValue: unknown } {
  if (!('wrapped' in schema) || !isSchema(schema.wrapped)) return { value: schema, defaultValue: undefined }
  return { value: schema.wrapped, defaultValue: 'default' in schema ? schema.default : undefined }
}

function entriesOf(schema: v.GenericSchema): [string, v.GenericSchema][] | undefined {
  if (!('entries' in schema) || typeof schema.entries !== 'object' || schema.entries === null) return undefined
  return Object.entries(schema.entries).filter((entry): entry is [string, v.GenericSchema] => isSchema(entry[1]))
}

function isSchema(value: unknown): value is v.GenericSchema {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema'
}
