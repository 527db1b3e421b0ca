// The building blocks of the configuration's schema. Every option and every section carries its documentation.
import * as v from 'valibot'

/**
 * Adds the documentation of an option, which docs/configuration.md and editors show: meaning, unit, and the effect of
 * leaving it out.
 */
export function described<const Schema extends v.GenericSchema>(schema: Schema, description: string) {
  return v.pipe(schema, v.description<v.InferOutput<Schema>, string>(description))
}

/**
 * Makes a section of options. The schema accepts other names, which a configuration of Centrifugo has: checkNames()
 * refuses those that are mistakes.
 */
export function section<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.object(entries, (issue) => `expected a section of options but found ${issue.received}`)
}

/** Marks an option as secret: `centripush check-config` must not print its value. */
export function secret<const Schema extends v.GenericSchema>(schema: Schema) {
  return v.pipe(schema, v.metadata<v.InferOutput<Schema>, { isSecret: true }>({ isSecret: true }))
}

/**
 * Marks a section that has the same options as another one, so that the reference lists them only once.
 * @param path the path of the other section
 */
export function likeSection<const Schema extends v.GenericSchema>(schema: Schema, path: string) {
  return v.pipe(schema, v.metadata<v.InferOutput<Schema>, { likeSection: string }>({ likeSection: path }))
}
