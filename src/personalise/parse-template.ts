// Parses templates: texts with actions in `{{…}}`. The text between the actions keeps its bytes.
//
//   {{pipeline}}   {{if pipeline}} … {{else if pipeline}} … {{else}} … {{end}}

import { endOf, type SourceText } from '../json/source-text.ts'
import { type Expression, MAP, type Uses } from './expression.ts'
import { parseExpression } from './parse-expression.ts'
import { TemplateError } from './template-error.ts'
import { failAt, LEFT, readAction, type Token } from './tokens.ts'

/** A part of a parsed template. */
export type Node =
  /** Text between actions: the bytes of the source from `start` to `end`. */
  | { kind: 'source'; start: number; end: number }
  | { kind: 'value'; expression: Expression }
  /** An `if`. The first branch with a true condition is rendered; the branch of `else` has no condition. */
  | { kind: 'if'; branches: readonly Branch[] }

/** A branch of an `if`: its condition, and the parts to render if the condition is true. */
export interface Branch {
  /** The condition of the branch; undefined for `else`. */
  condition: Expression | undefined
  nodes: readonly Node[]
}

/** The deepest nesting of `if`s. It is safe for the call stack. */
const MAX_DEPTH = 20

/**
 * Parses a text into the parts of a template.
 * @param uses notes the parts of a target that the template reads
 * @throws TemplateError
 */
export function parseTemplate(source: SourceText, uses: Uses): Node[] {
  const builder = new NodeBuilder(uses)
  let at = 0
  for (;;) {
    const left = source.bytes.indexOf(LEFT, at)
    builder.addSource(source.offsets[at] ?? 0, left === -1 ? endOf(source) : (source.offsets[left] ?? 0))
    if (left === -1) return builder.finish()
    const { tokens, end } = readAction(source, left + LEFT.length)
    if (tokens.length === 0) throw failAt(source, 'empty expression', left)
    builder.addAction(tokens, source.offsets[left] ?? 0)
    at = end
  }
}

interface OpenBranch {
  condition: Expression | undefined
  nodes: Node[]
}

/** An `if` that has not reached its `{{end}}` yet. */
interface OpenIf {
  offset: number
  branches: [OpenBranch, ...OpenBranch[]]
}

class NodeBuilder {
  readonly #uses: Uses
  readonly #nodes: Node[] = []
  readonly #open: OpenIf[] = []

  constructor(uses: Uses) {
    this.#uses = uses
  }

  addSource(start: number, end: number): void {
    if (end > start) this.#add({ kind: 'source', start, end })
  }

  addAction(tokens: readonly Token[], offset: number): void {
    const [first, ...rest] = tokens
    const keyword = first?.kind === 'name' ? first.name : undefined
    if (keyword === 'if') this.#openIf(rest, offset)
    else if (keyword === 'else') this.#openBranch(rest, offset)
    else if (keyword === 'end') this.#closeIf(rest, offset)
    else this.#addValue(tokens, offset)
  }

  finish(): Node[] {
    const open = this.#open.at(-1)
    if (open) throw new TemplateError('if without end', open.offset)
    return this.#nodes
  }

  #add(node: Node): void {
    const nodes = this.#open.at(-1)?.branches.at(-1)?.nodes ?? this.#nodes
    nodes.push(node)
  }

  #addValue(tokens: readonly Token[], offset: number): void {
    const expression = parseExpression(tokens, this.#uses, offset)
    if ((expression.kinds & MAP) !== 0) throw new TemplateError('map instead of a text', offset)
    this.#add({ kind: 'value', expression })
  }

  #openIf(tokens: readonly Token[], offset: number): void {
    if (this.#open.length === MAX_DEPTH) throw new TemplateError('if nested too deep', offset)
    const condition = parseExpression(tokens, this.#uses, offset)
    this.#open.push({ offset, branches: [{ condition, nodes: [] }] })
  }

  #openBranch([keyword, ...tokens]: readonly Token[], offset: number): void {
    const open = this.#open.at(-1)
    if (!open) throw new TemplateError('else without if', offset)
    if (open.branches.at(-1)?.condition === undefined) throw new TemplateError('else after else', offset)
    if (keyword && (keyword.kind !== 'name' || keyword.name !== 'if')) {
      throw new TemplateError('else with an argument that is not if', offset)
    }
    const condition = keyword && parseExpression(tokens, this.#uses, offset)
    open.branches.push({ condition, nodes: [] })
  }

  #closeIf(tokens: readonly Token[], offset: number): void {
    const open = this.#open.pop()
    if (!open) throw new TemplateError('end without if', offset)
    if (tokens.length > 0) throw new TemplateError('end with an argument', offset)
    this.#add({ kind: 'if', branches: open.branches })
  }
}
