// Rules about the claims of a person, in CEL (https://cel.dev), as Centrifugo PRO has them.
import { Environment } from '@marcbachmann/cel-js'
import * as v from 'valibot'
import { kindOf } from './values.ts'

const EXPECTED = `expected a CEL expression such as "'admins' in claims.groups"`

const environment = new Environment().registerVariable('claims', 'map')

/** The claims of an ID token. */
export type Claims = Readonly<Record<string, unknown>>

/**
 * Compiles a rule. The returned function evaluates it, and throws if a claim of the rule is missing or has another type.
 * @throws Error if the rule is malformed or its value is not true or false
 */
export function compileClaimsExpression(expression: string): (claims: Claims) => boolean {
  const evaluate = environment.parse(expression)
  const { valid, type, error } = evaluate.check()
  if (!valid) throw error ?? new Error('it is malformed')
  if (type !== 'bool' && type !== 'dyn') throw new Error(`its value is of the type ${type} and not bool`)
  return (claims) => {
    const value: unknown = evaluate({ claims })
    if (typeof value !== 'boolean') throw new Error('its value is not true or false')
    return value
  }
}

/** The schema of an option that is a rule. */
export const claimsExpression = v.pipe(
  // YAML reads `true` as a boolean.
  v.union([v.string(), v.boolean()], `${EXPECTED} but found something else`),
  kindOf<string | boolean>('CEL expression', { type: 'string' }),
  v.transform(String),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    try {
      compileClaimsExpression(dataset.value)
    } catch (error) {
      addIssue({ message: `${EXPECTED}: ${reasonOf(error)}` })
    }
  }),
)

/** The reason in an error of the library, whose further lines show the expression. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
}
