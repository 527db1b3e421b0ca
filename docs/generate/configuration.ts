// npm run docs:configuration
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { makeConfigurationPage } from './configuration-page.ts'
import { makeConfigurationSchema } from './configuration-schema.ts'

const DOCS = resolve(import.meta.dirname, '..')

writeFileSync(resolve(DOCS, 'configuration.md'), makeConfigurationPage())
writeFileSync(resolve(DOCS, 'configuration.schema.json'), makeConfigurationSchema())
