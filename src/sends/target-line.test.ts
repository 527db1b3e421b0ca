import { expect, test } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import { countPlatforms, decodeTarget, readField, readIdentity } from './target-line.ts'

const NAMES = ['deviceId', 'value', 'user', 'platform', 'keys', 'locale', 'timezone', 'meta'] as const

test('readField returns the same values as decodeTarget, for lines with all fields and with fewer', () => {
  const field = fc.string({ unit: fc.constantFrom('a', 'é', '😀', ' ', '"'), maxLength: 4 })
  void fc.assert(
    fc.property(fc.array(field, { minLength: 4, maxLength: 8 }), (fields) => {
      const line = fields.join('\t')
      const read = Object.fromEntries(NAMES.map((name) => [name, readField(line, name)]))
      expect(read).toEqual(decodeTarget(line))
      expect(decodeTarget(line)).toMatchObject(readIdentity(line))
    }),
  )
})

test('countPlatforms counts the platforms that decodeTarget returns', () => {
  const platforms = fc.constantFrom('', 'android', 'and', 'ios', 'web')
  const line = fc
    .tuple(platforms, fc.constantFrom('', '\tk', '\tk\tde'))
    .map(([name, rest]) => `d\tv\tu\t${name}${rest}`)
  void fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const counts = new Map<string, number>()
      for (const name of lines.map((text) => decodeTarget(text).platform)) counts.set(name, (counts.get(name) ?? 0) + 1)
      expect(countPlatforms(lines)).toEqual(counts)
    }),
  )
})
