// Expressions are compiled to functions of a target's scope. Go checks the types of arguments when it renders. Here the
// compiler checks them, so rendering cannot fail.
import type { Scope, Texts } from './scope.ts'

/** The value of an expression for one target. */
export type Value = string | boolean | Texts

/** The kinds of values, as bits: an expression can have several. */
export const TEXT = 1
/** True or false. */
export const FLAG = 2
/** Texts by their names. */
export const MAP = 4

/** A compiled expression. */
export interface Expression {
  /** The possible kinds of its value: TEXT, FLAG, MAP, or several of them. */
  kinds: number
  /** Never throws. */
  read(scope: Scope): Value
}

/** The parts of a target that a template reads. The others need not be loaded. */
export interface Uses {
  meta: boolean
  l10n: boolean
}

/** The truth of a value, as in Go: an empty text and an empty map are false. */
export function isTrue(value: Value): boolean {
  if (typeof value !== 'object') return Boolean(value)
  for (const key in value) if (Object.hasOwn(value, key)) return true
  return false
}
