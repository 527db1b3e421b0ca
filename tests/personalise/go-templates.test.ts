import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { compileHeader, compileJson } from '../../src/personalise/template.ts'
import { TemplateError } from '../../src/personalise/template-error.ts'
import { renderJson } from './render-json.ts'

const texts = v.record(v.string(), v.string())
const Table = v.object({
  scopes: v.record(
    v.string(),
    v.object({ device: v.object({ id: v.string(), user: v.string(), meta: texts }), l10n: texts }),
  ),
  cases: v.array(
    v.object({
      template: v.string(),
      scope: v.string(),
      /** The reason for a difference from Go, and the result of the dialect: null for an error. */
      differs: v.optional(v.string()),
      ours: v.optional(v.nullable(v.string())),
    }),
  ),
})
const Recorded = v.object({ results: v.array(v.object({ template: v.string(), output: v.nullable(v.string()) })) })

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`go/${name}`, import.meta.url), 'utf8'))
const { scopes, cases } = v.parse(Table, read('cases.json'))
const { results } = v.parse(Recorded, read('recorded.json'))

const rows = cases.map(({ template, scope, differs, ours }, index) => {
  const { device, l10n } = scopes[scope] ?? {}
  const go = results[index]
  if (!device || !l10n || go?.template !== template)
    throw new Error('recorded.json does not belong to cases.json: run npm run record:templates')
  return {
    template,
    scope: { ...device, l10n },
    differs,
    go: go.output,
    expected: differs === undefined ? go.output : ours,
  }
})

/** The output of JSON.stringify, and the same text with an escape for each character. */
const encodings = {
  'as it is': (text: string) => JSON.stringify(text),
  'in escapes': (text: string) =>
    `"${text
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('')}"`,
}

describe.each(Object.entries(encodings))('in a JSON string, written %s', (_, encode) => {
  test.each(rows)('$template gives $expected', ({ template, scope, expected }) => {
    const json = `{"before":1.0,"text":${encode(template)}, "after":"\\u00e9"}`
    if (expected === null) return expect(() => compileJson(Buffer.from(json))).toThrow(TemplateError)
    const rendered = renderJson(json, scope)
    expect(JSON.parse(rendered)).toEqual({ before: 1, text: expected, after: 'é' })
    expect(rendered).toMatch(/^\{"before":1\.0,"text":".*", "after":"\\u00e9"\}$/s)
  })
})

test.each(rows.filter(({ template }) => /^[\x20-\x7e]*$/.test(template)))(
  'in a header $template gives the same',
  ({ template, scope, expected }) => {
    if (expected === null || expected === undefined) {
      return expect(() => compileHeader(template)).toThrow(TemplateError)
    }
    expect(compileHeader(template).render(scope)).toBe(expected.replace(/[^\x20-\x7e]/gu, '?'))
  },
)

test('the table is long enough, and names the intended differences from Go', () => {
  expect(rows.filter(({ differs, go }) => differs === undefined && go !== null).length).toBeGreaterThanOrEqual(80)
  for (const { differs, go, expected } of rows) if (differs !== undefined) expect(expected).not.toEqual(go)
})
