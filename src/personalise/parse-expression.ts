// Parses template expressions. An expression is a pipeline: `operand` or `function operand…`, followed by more
// functions, each after a `|`. The value before a `|` is the last argument of the function after it. An operand is a
// field, a literal or a pipeline in parentheses.
import { type Expression, TEXT, type Uses } from './expression.ts'
import { makeField } from './fields.ts'
import { findFunction } from './functions.ts'
import { TemplateError } from './template-error.ts'
import type { Token } from './tokens.ts'

/** The deepest nesting of parentheses: more than templates need, and safe for the call stack. */
const MAX_DEPTH = 20

/**
 * Compiles the tokens of one expression.
 * @param uses notes the parts of the target that the expression reads
 * @param offset the position of the expression's action in the source, for errors
 * @throws TemplateError
 */
export function parseExpression(tokens: readonly Token[], uses: Uses, offset: number): Expression {
  const parser = new Parser(tokens, uses, offset)
  const expression = parser.parsePipeline(0)
  parser.expectEnd()
  return expression
}

class Parser {
  readonly #tokens: readonly Token[]
  readonly #uses: Uses
  readonly #offset: number
  #next = 0

  constructor(tokens: readonly Token[], uses: Uses, offset: number) {
    this.#tokens = tokens
    this.#uses = uses
    this.#offset = offset
  }

  parsePipeline(depth: number): Expression {
    let expression = this.#parseCommand(depth, undefined)
    while (this.#tokens[this.#next]?.kind === '|') {
      this.#next++
      expression = this.#parseCommand(depth, expression)
    }
    return expression
  }

  expectEnd(): void {
    if (this.#next < this.#tokens.length) throw this.#fail('unexpected value')
  }

  /** Parses an operand, or a function and its operands. @param piped the value before the `|`, if there is one */
  #parseCommand(depth: number, piped: Expression | undefined): Expression {
    const token = this.#tokens[this.#next]
    if (token?.kind === 'name') return this.#parseCall(token.name, depth, piped)
    if (piped) throw this.#fail('expected a function after |')
    return this.#parseOperand(depth)
  }

  #parseCall(name: string, depth: number, piped: Expression | undefined): Expression {
    const makeCall = findFunction(name)
    if (!makeCall) throw this.#fail('unknown function')
    const start = this.#next++
    const args: Expression[] = []
    while (this.#startsOperand()) args.push(this.#parseOperand(depth))
    if (piped) args.push(piped)
    const call = makeCall(args)
    if (!call) throw this.#fail('wrong arguments of a function', start)
    return call
  }

  #startsOperand(): boolean {
    const token = this.#tokens[this.#next]
    if (token?.kind !== 'field' && token?.kind !== 'literal' && token?.kind !== '(') return false
    if (!token.isApart) throw this.#fail('missing space between two values')
    return true
  }

  #parseOperand(depth: number): Expression {
    const token = this.#tokens[this.#next]
    if (token?.kind === '(') return this.#parseParentheses(depth)
    if (token?.kind === 'literal') {
      this.#next++
      return { kinds: TEXT, read: () => token.text }
    }
    if (token?.kind !== 'field') throw this.#fail('missing value')
    const field = makeField(token.path, this.#uses)
    if (!field) throw this.#fail('field that never has a value')
    this.#next++
    return field
  }

  #parseParentheses(depth: number): Expression {
    if (depth === MAX_DEPTH) throw this.#fail('parentheses nested too deep')
    const start = this.#next++
    const expression = this.parsePipeline(depth + 1)
    if (this.#tokens[this.#next]?.kind !== ')') throw this.#fail('parenthesis not closed', start)
    this.#next++
    return expression
  }

  #fail(problem: string, at = this.#next): TemplateError {
    return new TemplateError(problem, (this.#tokens[at] ?? this.#tokens.at(-1))?.offset ?? this.#offset)
  }
}
