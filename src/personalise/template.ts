// Compiled templates: literal bytes, and functions of the target. Rendering parses nothing and cannot fail.
import { isUtf8 } from 'node:buffer'
import { endOf, readJsonStrings, type SourceText } from '../json/source-text.ts'
import { escapeJson } from '../json/strings.ts'
import { type Expression, isTrue, type Uses } from './expression.ts'
import { type Node, parseTemplate } from './parse-template.ts'
import type { Scope } from './scope.ts'
import { TemplateError } from './template-error.ts'
import { LEFT } from './tokens.ts'

/** Receives the bytes and texts of a rendered template, one after another. */
export interface TextSink {
  bytes(bytes: Uint8Array): void
  /** Receives a text, to be encoded as UTF-8. */
  text(text: string): void
}

/** A compiled template that is JSON. */
export interface JsonTemplate extends Uses {
  /** Whether the template has an expression. If not, it is the same for all targets. */
  isPersonal: boolean
  /** Writes the JSON with the values of its expressions for a target. All other bytes are unchanged. */
  write(scope: Scope, out: TextSink): void
}

/** A compiled template that is the value of a header. */
export interface HeaderTemplate extends Uses {
  /** Whether the template has an expression. If not, it is the same for all targets. */
  isPersonal: boolean
  /**
   * Returns the value for a target in printable ASCII. All other characters in values of expressions become question
   * marks.
   */
  render(scope: Scope): string
}

/** The texts that can begin an expression in JSON, where braces may be escaped. JSON without them is not parsed. */
const LEFTS = [LEFT, '\\u007b', '\\u007B']
/** The largest template: sixteen times the size that providers accept. */
const MAX_SOURCE_BYTES = 64 * 1024
/**
 * The most characters of all values that are rendered for a target; further values are left out. Providers accept less
 * than a tenth of it, so the limit only bounds the time that a template can cost a worker.
 */
const MAX_VALUE_CHARACTERS = 64 * 1024

type Part =
  | { kind: 'text'; text: string }
  /** Bytes of the source that are not valid UTF-8. They are written unchanged. */
  | { kind: 'bytes'; bytes: Buffer }
  | { kind: 'value'; expression: Expression }
  | { kind: 'if'; branches: readonly { condition: Expression | undefined; parts: readonly Part[] }[] }

/**
 * Compiles all strings in a valid JSON text, keys included, as templates. The text may also be a part of one that cuts
 * no string. Values of expressions are escaped, so they cannot end a string.
 * @throws TemplateError
 */
export function compileJson(json: Buffer): JsonTemplate {
  const uses: Uses = { meta: false, l10n: false }
  if (!LEFTS.some((left) => json.includes(left))) {
    return { ...uses, isPersonal: false, write: (_, out) => out.bytes(json) }
  }
  if (json.length > MAX_SOURCE_BYTES) throw new TemplateError('template too long', MAX_SOURCE_BYTES)
  const nodes: Node[] = []
  let at = 0
  for (const source of readJsonStrings(json)) {
    const parsed = parseTemplate(source, uses)
    // Most strings contain no expression, and need no functions.
    if (parsed.every(({ kind }) => kind === 'source')) continue
    nodes.push({ kind: 'source', start: at, end: source.offsets[0] ?? at }, ...parsed)
    at = endOf(source)
  }
  const isPersonal = nodes.length > 0
  nodes.push({ kind: 'source', start: at, end: json.length })
  const parts = linkParts(nodes, json)
  return { ...uses, isPersonal, write: (scope, out) => new Rendering(scope, out, escapeJson).render(parts) }
}

/** Compiles the value of a header. @param value printable ASCII @throws TemplateError */
export function compileHeader(value: string): HeaderTemplate {
  const uses: Uses = { meta: false, l10n: false }
  const nodes = parseTemplate(readHeaderText(value), uses)
  const isPersonal = nodes.some(({ kind }) => kind !== 'source')
  if (!isPersonal) return { ...uses, isPersonal, render: () => value }
  const parts = linkParts(nodes, Buffer.from(value, 'latin1'))
  return { ...uses, isPersonal, render: (scope) => renderText(parts, scope) }
}

function linkParts(nodes: readonly Node[], source: Buffer): Part[] {
  const parts: Part[] = []
  let from: number | undefined
  nodes.forEach((node, index) => {
    if (node.kind !== 'source') {
      parts.push(node.kind === 'value' ? node : { kind: 'if', branches: node.branches.map(linkBranch) })
      return
    }
    // Pieces of the source that follow each other are joined to one part, which begins here.
    from ??= node.start
    const next = nodes[index + 1]
    if (next?.kind === 'source' && next.start === node.end) return
    if (node.end > from) parts.push(linkSource(source.subarray(from, node.end)))
    from = undefined
  })
  return parts

  function linkBranch({ condition, nodes: inner }: { condition: Expression | undefined; nodes: readonly Node[] }) {
    return { condition, parts: linkParts(inner, source) }
  }
}

function linkSource(bytes: Buffer): Part {
  return isUtf8(bytes) ? { kind: 'text', text: bytes.toString() } : { kind: 'bytes', bytes }
}

class Rendering {
  readonly #scope: Scope
  readonly #out: TextSink
  readonly #escapeValue: (text: string) => string
  #left = MAX_VALUE_CHARACTERS
  /** The text so far. Pieces are joined here, because one write for each piece would take three times as long. */
  #text = ''

  constructor(scope: Scope, out: TextSink, escapeValue: (text: string) => string) {
    this.#scope = scope
    this.#out = out
    this.#escapeValue = escapeValue
  }

  render(parts: readonly Part[]): void {
    this.#write(parts)
    this.#flush()
  }

  #write(parts: readonly Part[]): void {
    for (const part of parts) {
      if (part.kind === 'text') this.#text += part.text
      else if (part.kind === 'value') this.#writeValue(part.expression)
      else if (part.kind === 'if') this.#write(this.#choose(part.branches))
      else {
        this.#flush()
        this.#out.bytes(part.bytes)
      }
    }
  }

  #writeValue(expression: Expression): void {
    if (this.#left <= 0) return
    const text = this.#escapeValue(String(expression.read(this.#scope)))
    this.#left -= text.length
    this.#text += text
  }

  #flush(): void {
    if (this.#text !== '') this.#out.text(this.#text)
    this.#text = ''
  }

  #choose(branches: Extract<Part, { kind: 'if' }>['branches']): readonly Part[] {
    const taken = branches.find(({ condition }) => !condition || isTrue(condition.read(this.#scope)))
    return taken?.parts ?? []
  }
}

function renderText(parts: readonly Part[], scope: Scope): string {
  let rendered = ''
  const out: TextSink = {
    bytes: (bytes) => {
      rendered += Buffer.from(bytes).toString('latin1')
    },
    text: (text) => {
      rendered += text
    },
  }
  new Rendering(scope, out, escapeHeader).render(parts)
  return rendered
}

function escapeHeader(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, '?')
}

/** A header's value as a SourceText. It is ASCII, so each character is one byte. */
function readHeaderText(value: string): SourceText {
  return { bytes: value, offsets: Array.from({ length: value.length + 1 }, (_, index) => index) }
}
