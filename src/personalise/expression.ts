// Expressions are compiled to functions of what a target is. Go finds out while it renders whether a function can take
// what it is given; here it is known beforehand, so that rendering can't fail.
import type { Scope, Texts } from './scope.ts'

export type Value = string | boolean | Texts

/** What an expression can be when it is read: any of these, as bits. */
export const TEXT = 1
export const FLAG = 2
export const MAP = 4

export interface Expression {
  kinds: number
  read(scope: Scope): Value
}

/** Which parts of a target a template names: the others need not be loaded. */
export interface Uses {
  meta: boolean
  l10n: boolean
}

/** As in Go: what is empty is false. */
export function isTrue(value: Value): boolean {
  if (typeof value !== 'object') return Boolean(value)
  for (const key in value) if (Object.hasOwn(value, key)) return true
  return false
}
