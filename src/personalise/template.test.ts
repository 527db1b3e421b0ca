import { describe, expect, it } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import type { Scope } from './scope.ts'
import { compileHeader, compileJson, type TextSink } from './template.ts'
import { TemplateError } from './template-error.ts'

const EMPTY: Scope = { id: '', user: '', meta: {}, l10n: {} }

function render(json: string | Buffer, scope: Partial<Scope>): Buffer {
  const pieces: Uint8Array[] = []
  const out: TextSink = { bytes: (bytes) => pieces.push(bytes), text: (text) => pieces.push(Buffer.from(text)) }
  compileJson(Buffer.from(json)).write({ ...EMPTY, ...scope }, out)
  return Buffer.concat(pieces)
}

describe('a template in JSON', () => {
  it('keeps every byte outside of its expressions', () => {
    const json = Buffer.from(
      ' { "a" : 12345678901234567890 ,"b":[1.0,"\\u00e9\\/", "{{.device.user}}\\u00e9" ],"b":"{ }" }\n',
    )
    const expected = json.toString().replace('{{.device.user}}', 'ada')
    expect(render(json, { user: 'ada' }).toString()).toBe(expected)
    const notUtf8 = Buffer.concat([
      Buffer.from('{"a":"'),
      Buffer.from([0xff, 0xc3]),
      Buffer.from(' {{.device.user}}"}'),
    ])
    const [head, tail] = [notUtf8.subarray(0, 9), Buffer.from('ada"}')]
    expect(render(notUtf8, { user: 'ada' })).toEqual(Buffer.concat([head, tail]))
  })

  it('renders keys, too, and several expressions in several strings', () => {
    const json = '{"{{.device.id}}":"{{.device.user}}-{{.device.user}}","b":{"c":["{{.l10n.x}}"]}}'
    const rendered = render(json, { id: 'i', user: 'u', l10n: { x: 'y' } }).toString()
    expect(rendered).toBe('{"i":"u-u","b":{"c":["y"]}}')
  })

  it('is personal only if it has an expression', () => {
    expect(compileJson(Buffer.from('{"a":"{ }} b"}')).isPersonal).toBe(false)
    expect(compileJson(Buffer.from('{"a":"{{.device.id}}"}')).isPersonal).toBe(true)
    expect(compileHeader('plain').isPersonal).toBe(false)
  })

  it('reports whether it uses the meta and the translations', () => {
    const usesOf = (json: string) => compileJson(Buffer.from(json))
    expect(usesOf('{"a":"{{.device.id}} {{.l10n.meta}} .device.meta.x"}')).toMatchObject({ meta: false, l10n: true })
    const inCondition = '{"a":"{{if eq .device.id (index .device.meta [[x]])}}{{end}}"}'
    expect(usesOf(inCondition)).toMatchObject({ meta: true, l10n: false })
  })

  it.each([
    ['an action that is not closed', '{"a":"\\u00e9{{.device.id","b":"}}"}', 12],
    ['an unknown function', '{"a":1,"b":"x {{ foo }}"}', 17],
    ['an if without end', '{"a":"{{if .device.id}}","b":"{{end}}"}', 6],
    ['a wrong argument', '{"a":"\\u007b{index .device.id [[a]]}}"}', 13],
    ['500 nested parentheses', `{"a":"{{${'('.repeat(500)}.device.id${')'.repeat(500)}}}"}`, 28],
    ['500 nested ifs', `{"a":"${'{{if .a}}'.repeat(500)}${'{{end}}'.repeat(500)}"}`, 186],
    ['more than 64 KB', `{"a":"{{.device.id}}${'x'.repeat(65_536)}"}`, 65_536],
  ])('refuses %s and reports its position', (_, json, offset) => {
    const compile = () => compileJson(Buffer.from(json))
    expect(compile).toThrow(TemplateError)
    expect(compile).toThrow(expect.objectContaining({ offset }))
  })

  it('does not quote itself in an error', () => {
    const secret = '{"a":"{{secret .device.secret [[secret]]}}"}'
    expect(() => compileJson(Buffer.from(secret))).toThrow(/^unknown function at byte 8$/)
  })

  it('reads only own properties', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__proto__']
    const json = JSON.stringify({
      a: names.map((name) => `{{.device.meta.${name}}}{{index .l10n [[${name}]]}}`).join(''),
    })
    expect(render(json, {}).toString()).toBe('{"a":""}')
    const meta: Scope['meta'] = JSON.parse('{"__proto__":"own","constructor":"too"}')
    const own = '{"a":"{{.device.meta.__proto__}} {{.device.meta.constructor}}"}'
    expect(render(own, { meta }).toString()).toBe('{"a":"own too"}')
  })

  it('has a bounded size, even if it repeats a long value', () => {
    const json = `{"a":"${'{{.device.user}}'.repeat(4000)}"}`
    const rendered = render(json, { user: 'x'.repeat(4096) })
    expect(rendered.length).toBeGreaterThan(64 * 1024)
    expect(rendered.length).toBeLessThan(80 * 1024)
    expect(() => JSON.parse(rendered.toString())).not.toThrow()
  })

  it('stays valid JSON with any value, and contains exactly that value', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: ODD_UNITS }),
    )
    const json = Buffer.from(
      '{"a":"{{.device.user}}","b":{"{{.device.meta.k}}":[1,"<{{index .device.meta [[k]]}}>"]},' +
        '"c":"{{default [[d]] .l10n.t}}"}',
    )
    const template = compileJson(json)
    void fc.assert(
      fc.property(text, text, text, (user, k, t) => {
        const pieces: Uint8Array[] = []
        const out: TextSink = { bytes: (bytes) => pieces.push(bytes), text: (part) => pieces.push(Buffer.from(part)) }
        template.write({ id: '', user, meta: { k }, l10n: { t } }, out)
        const parsed: unknown = JSON.parse(Buffer.concat(pieces).toString())
        expect(JSON.stringify(parsed)).toBe(
          JSON.stringify({ a: user, b: Object.fromEntries([[k, [1, `<${k}>`]]]), c: t || 'd' }),
        )
      }),
      { numRuns: 100_000 },
    )
  })

  it('has the same value as outside of JSON, also if its text needs escapes', () => {
    const text = fc.string({ unit: ODD_UNITS }).filter((value) => value.isWellFormed() && !/[{`]/.test(value))
    void fc.assert(
      fc.property(text, text, text, (before, literal, after) => {
        const json = JSON.stringify({ a: `${before}{{\`${literal}\`}}${after}` })
        const { a }: { a: string } = JSON.parse(render(json, {}).toString())
        expect(a).toBe(`${before}${literal}${after}`)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('a template in a header', () => {
  it('cannot end the header', () => {
    const { render: renderHeader } = compileHeader('id-{{.device.user}}!')
    expect(renderHeader({ ...EMPTY, user: 'a\r\nb: c\u0000é👍' })).toBe('id-a??b: c???!')
    void fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (user) => {
        expect(renderHeader({ ...EMPTY, user })).toMatch(/^id-[\x20-\x7e]*!$/)
      }),
    )
  })
})

/** Characters that have a special meaning in JSON, in UTF-8 or in templates. */
const ODD_UNITS = fc.constantFrom(
  ...[
    '"',
    '\\',
    '/',
    '{',
    '}',
    '[',
    ']',
    '`',
    '\n',
    '\r',
    '\t',
    '\b',
    '\u0000',
    '\u001f',
    '\u007f',
    '\u0085',
    '\u2028',
  ],
  ...['é', '漢', '👍', '\ud800', '\udfff', '\ufeff', '\uffff', 'a', ' ', '$&', '%s'],
)
