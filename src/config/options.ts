// Lists the options of a schema: for environment variables, unknown keys, secrets, and the reference.
import * as v from 'valibot'

/** One option of the configuration. */
export interface ConfigOption {
  path: readonly string[]
  /** The documentation of the option; empty if it has none. */
  description: string
  /** The name of the option's kind of values, for example `duration`. */
  kind: string
  /** The default value, as it is written in a file; undefined if the option has none. */
  defaultValue: unknown
  /** Whether the value must not be printed. */
  isSecret: boolean
}

/** A section of the configuration. */
export interface ConfigSection {
  path: readonly string[]
  description: string
  /** The path of a section with the same options, which are listed there; undefined if they are listed here. */
  like: string | undefined
  options: readonly ConfigOption[]
}

const Metadata = v.object({
  kind: v.optional(v.string(), ''),
  isSecret: v.optional(v.boolean(), false),
  likeSection: v.optional(v.string()),
})

/** Lists the sections of a schema. Each comes before the sections in it; the first one is the root. */
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

/** Describes an entry of a section as an option; returns an empty list if the entry is a section. */
function describeOption(entry: v.GenericSchema, path: readonly string[]): ConfigOption[] {
  const { value, defaultValue } = unwrap(entry)
  if (entriesOf(value)) return []
  const { kind, isSecret } = v.parse(Metadata, v.getMetadata(value))
  return [{ path, description: v.getDescription(entry) ?? '', kind, defaultValue, isSecret }]
}

/** Removes v.optional() from an option's schema. Returns the schema inside, and the default value. */
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
