// The words in which the schema is written: every option and every section carries its documentation.
import * as v from 'valibot'

/** Adds the sentences that docs/configuration.md and editors show: meaning, unit, and the effect of leaving it out. */
export function described<const Schema extends v.GenericSchema>(schema: Schema, description: string) {
  return v.pipe(schema, v.description<v.InferOutput<Schema>, string>(description))
}

/** A group of options. Unknown options are allowed in it, because a Centrifugo configuration has others. */
export function section<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.object(entries, (issue) => `expected a section of options but found ${issue.received}`)
}

/** Marks a value that `centripush check-config` must not print. */
export function secret<const Schema extends v.GenericSchema>(schema: Schema) {
  return v.pipe(schema, v.metadata<v.InferOutput<Schema>, { isSecret: true }>({ isSecret: true }))
}

/** Marks a section with the options of another one, which the reference lists once. @param path the other one's */
export function likeSection<const Schema extends v.GenericSchema>(schema: Schema, path: string) {
  return v.pipe(schema, v.metadata<v.InferOutput<Schema>, { likeSection: string }>({ likeSection: path }))
}
