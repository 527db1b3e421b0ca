import { expect, test } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import { decodeLines, splitLines } from './line-bytes.ts'

test('lines of any number and length are decoded unchanged', () => {
  // Texts of up to some hundred KB, with characters of one to four bytes, so that pieces end within lines and
  // characters.
  const line = fc
    .tuple(fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\t'), maxLength: 9 }), fc.integer({ min: 0, max: 4000 }))
    .map(([text, times]) => text.repeat(times))
  void fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 40 }), (lines) => {
      expect(decodeLines(Buffer.from(lines.join('\n')))).toEqual(lines)
    }),
    { numRuns: 50 },
  )
})

test('parts contain all lines in order, are full except for the last one, and have the right count', () => {
  const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '\t'), maxLength: 4 }), { minLength: 1 })
  void fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 12 }), (lines, size) => {
      const parts = splitLines(Buffer.from(lines.join('\n')), lines.length, size)
      expect(parts.flatMap((part) => decodeLines(part.lines))).toEqual(lines)
      const counts = parts.map(({ count }) => count)
      expect(parts.map((part) => decodeLines(part.lines).length)).toEqual(counts)
      expect(counts.slice(0, -1).every((count) => count === size)).toBe(true)
      expect(counts.at(-1)).toBeLessThanOrEqual(size)
    }),
  )
})
