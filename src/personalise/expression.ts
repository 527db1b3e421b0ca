// Template expressions, compiled to functions of a target's scope. Go checks the types of arguments when it renders a
// template. Here the compiler checks them, so that rendering cannot fail.
import type { Scope, Texts } from './scope.ts'

/** The value that an expression has for one target. */
export type Value = string | boolean | Texts

/** The kinds of values are bits, because an expression can have several kinds. TEXT: a text. */
export const TEXT = 1
/** A kind of value: true or false. */
export const FLAG = 2
/** A kind of value: a map of texts by their names, such as `device.meta`. */
export const MAP = 4

/** A template expression, compiled to a function of the target. */
export interface Expression {
  /** The kinds that its value can have: TEXT, FLAG, MAP, or several of them as bits. */
  kinds: number
  /** Returns the value of the expression for a target. Never throws. */
  read(scope: Scope): Value
}

/** Which parts of a target a template reads. Other parts need not be loaded. */
export interface Uses {
  meta: boolean
  l10n: boolean
}

/** Whether a value counts as true, as in Go: an empty text and an empty map are false. */
export function isTrue(value: Value): boolean {
  if (typeof value !== 'object') return Boolean(value)
  for (const key in value) if (Object.hasOwn(value, key)) return true
  return false
}
