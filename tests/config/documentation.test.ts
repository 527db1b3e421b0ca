import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { makeConfigurationPage } from '../../docs/generate/configuration-page.ts'
import { makeConfigurationSchema } from '../../docs/generate/configuration-schema.ts'
import { listOptions, listSections } from '../../src/config/options.ts'
import { ConfigSchema } from '../../src/config/schema.ts'

const DOCS = resolve(import.meta.dirname, '../../docs')

test.each([
  ['configuration.md', makeConfigurationPage],
  ['configuration.schema.json', makeConfigurationSchema],
])('%s is current; "npm run docs:configuration" writes it', (name, make) => {
  expect(readFileSync(resolve(DOCS, name), 'utf8')).toBe(make())
})

test('every option has a kind and is explained in sentences', () => {
  for (const { path, kind, description } of listOptions(ConfigSchema)) {
    expect(kind, path.join('.')).not.toBe('')
    expect(description, path.join('.')).toMatch(/^[A-Z`].*\.$/)
  }
})

test('every section is explained, and a section that is listed elsewhere has the same options there', () => {
  const sections = listSections(ConfigSchema)
  const keysOf = (name: string) =>
    sections.find(({ path }) => path.join('.') === name)?.options.map(({ path }) => path.at(-1))
  for (const { path, description, like } of sections.slice(1)) {
    const name = path.join('.')
    expect(description, name).toMatch(/\.$/)
    if (like !== undefined) expect(keysOf(like), name).toEqual(expect.arrayContaining(keysOf(name) ?? []))
  }
})
