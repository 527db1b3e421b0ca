import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { ConfigSchema } from '../../src/config/schema.ts'

const KindMetadata = v.object({ json: v.record(v.string(), v.any()) })

/** The text of docs/configuration.schema.json: JSON Schema (draft 07) of configuration files. */
export function makeConfigurationSchema(): string {
  const schema = toJsonSchema(ConfigSchema, {
    // Values as they are written, before checks and conversions that JSON Schema has no words for.
    typeMode: 'input',
    errorMode: 'ignore',
    overrideAction: ({ valibotAction, jsonSchema }) => {
      if (!('metadata' in valibotAction)) return undefined
      const kind = v.safeParse(KindMetadata, valibotAction.metadata)
      // The library copies all metadata; that of `secret` and `likeSection` is not JSON Schema.
      return kind.success ? kind.output.json : { ...jsonSchema, isSecret: undefined, likeSection: undefined }
    },
  })
  return `${JSON.stringify({ title: 'centripush configuration', ...schema }, undefined, 2)}\n`
}
