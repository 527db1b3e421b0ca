// Compares the answers in documents with real ones. In a document, `…` stands for any text, and a number of at least
// 1,000,000,000 for any time.
import { expect } from 'vitest'

const FIRST_TIME = 1_000_000_000

/** @throws AssertionError unless the real answer is the one that the document shows */
export function expectAnswer(real: unknown, shown: unknown): void {
  expect(real).toEqual(toPattern(shown))
}

/** @throws AssertionError unless the real output has all lines that the document shows, in their order */
export function expectLines(real: string, shown: string): void {
  const lines = shown.trimEnd().split('\n')
  expect(real).toMatch(new RegExp(lines.map((line) => toExpression(line.trimEnd())).join('[\\s\\S]*?\\n'), 'm'))
}

/** A regular expression for text with `…`. */
export function toExpression(text: string): string {
  const parts = text.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return `^${parts.join('.*')}$`
}

function toPattern(shown: unknown): unknown {
  if (typeof shown === 'string') return shown.includes('…') ? expect.stringMatching(toExpression(shown)) : shown
  if (typeof shown === 'number') return shown >= FIRST_TIME ? expect.any(Number) : shown
  if (Array.isArray(shown)) return shown.map(toPattern)
  if (typeof shown !== 'object' || shown === null) return shown
  return Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, toPattern(value)]))
}
