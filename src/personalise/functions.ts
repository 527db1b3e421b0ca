// The functions that templates can call: those of Go's text/template, and `default` of sprig. Each checks the kinds of
// its arguments when a template is compiled.
import { type Expression, FLAG, isTrue, MAP, TEXT } from './expression.ts'
import { readText, type Scope } from './scope.ts'

/** Compiles a call of a function. Returns undefined if the number or the kinds of the arguments are wrong. */
type MakeCall = (args: readonly Expression[]) => Expression | undefined

const MAKERS: ReadonlyMap<string, MakeCall> = new Map<string, MakeCall>([
  ['index', makeIndex],
  ['default', makeDefault],
  ['and', (args) => makeChoice(args, false)],
  ['or', (args) => makeChoice(args, true)],
  ['not', makeNot],
  ['eq', makeEqual],
  ['ne', (args) => (args.length === 2 ? negate(makeEqual(args)) : undefined)],
  ['lt', (args) => makeOrder(args, -1)],
  ['gt', (args) => makeOrder(args, 1)],
])

/** The compiler for calls of the function with this name; undefined if there is no such function. */
export function findFunction(name: string): MakeCall | undefined {
  return MAKERS.get(name)
}

/** The function `index map key`: the text under a key. */
function makeIndex(args: readonly Expression[]): Expression | undefined {
  const [map, key] = args
  if (args.length !== 2 || map?.kinds !== MAP || key?.kinds !== TEXT) return undefined
  return {
    kinds: TEXT,
    read: (scope) => {
      const [texts, name] = [map.read(scope), key.read(scope)]
      return typeof texts === 'object' && typeof name === 'string' ? readText(texts, name) : ''
    },
  }
}

/** The function `default fallback value`: the value if it counts as true, otherwise the fallback. */
function makeDefault(args: readonly Expression[]): Expression | undefined {
  const [fallback, given = fallback] = args
  if (args.length > 2 || !fallback || !given) return undefined
  return {
    kinds: fallback.kinds | given.kinds,
    read: (scope) => {
      const value = given.read(scope)
      return isTrue(value) ? value : fallback.read(scope)
    },
  }
}

/**
 * The functions `or` and `and`: the first argument that is true (for `or`) or false (for `and`), otherwise the last
 * one.
 */
function makeChoice(args: readonly Expression[], wanted: boolean): Expression | undefined {
  const last = args.at(-1)
  if (!last) return undefined
  const others = args.slice(0, -1)
  return {
    kinds: args.reduce((kinds, arg) => kinds | arg.kinds, 0),
    read: (scope) => {
      for (const arg of others) {
        const value = arg.read(scope)
        if (isTrue(value) === wanted) return value
      }
      return last.read(scope)
    },
  }
}

function makeNot(args: readonly Expression[]): Expression | undefined {
  const [arg] = args
  if (args.length !== 1 || !arg) return undefined
  return { kinds: FLAG, read: (scope) => !isTrue(arg.read(scope)) }
}

function negate(expression: Expression | undefined): Expression | undefined {
  return expression && makeNot([expression])
}

/** The function `eq`: whether the first argument equals one of the others. All must be texts, or all flags. */
function makeEqual(args: readonly Expression[]): Expression | undefined {
  const [first, ...others] = args
  if (!first || others.length === 0 || (first.kinds !== TEXT && first.kinds !== FLAG)) return undefined
  if (others.some(({ kinds }) => kinds !== first.kinds)) return undefined
  return {
    kinds: FLAG,
    read: (scope) => {
      const value = first.read(scope)
      return others.some((other) => other.read(scope) === value)
    },
  }
}

/** The functions `lt` and `gt`, which compare texts by their bytes, as Go does. */
function makeOrder(args: readonly Expression[], wanted: number): Expression | undefined {
  const [left, right] = args
  if (args.length !== 2 || left?.kinds !== TEXT || right?.kinds !== TEXT) return undefined
  const bytesOf = (expression: Expression, scope: Scope) => Buffer.from(String(expression.read(scope)))
  return { kinds: FLAG, read: (scope) => Buffer.compare(bytesOf(left, scope), bytesOf(right, scope)) === wanted }
}
