// A compiled template is literal bytes and functions of the target. Rendering cannot fail and parses nothing.
import { isUtf8 } from 'node:buffer'
import { endOf, readJsonStrings, type SourceText } from '../json/source-text.ts'
import { escapeJson } from '../json/strings.ts'
import { type Expression, isTrue, type Uses } from './expression.ts'
import { type Node, parseTemplate } from './parse-template.ts'
import type { Scope } from './scope.ts'
import { TemplateError } from './template-error.ts'
import { LEFT } from './tokens.ts'

/** Receives the rendered template, piece by piece. */
export interface TextSink {
  bytes(bytes: Uint8Array): void
  /** The text is written as UTF-8. */
  text(text: string): void
}

/** A compiled template in JSON. */
export interface JsonTemplate extends Uses {
  /** Whether it has an expression. Without one it is the same for all targets. */
  isPersonal: boolean
  /** Writes the JSON of the source with the values of its expressions. All other bytes stay. */
  write(scope: Scope, out: TextSink): void
}

/** A compiled template in a header's value. */
export interface HeaderTemplate extends Uses {
  /** Whether it has an expression. Without one it is the same for all targets. */
  isPersonal: boolean
  /** The value in printable ASCII. All other characters of a target's values become question marks. */
  render(scope: Scope): string
}

/** Every JSON with an expression contains one of these: the braces may be escaped. */
const LEFTS = [LEFT, '\\u007b', '\\u007B']
/** Sixteen times the limit of the providers. */
const MAX_SOURCE_BYTES = 64 * 1024
/**
 * Once the values of a target have this length, further values are left out. Providers accept less than a tenth of it,
 * so the limit only bounds the time that a template can cost a worker.
 */
const MAX_VALUE_CHARACTERS = 64 * 1024

type Part =
  | { kind: 'text'; text: string }
  /** Bytes of the source that are invalid UTF-8. They are written unchanged. */
  | { kind: 'bytes'; bytes: Buffer }
  | { kind: 'value'; expression: Expression }
  | { kind: 'if'; branches: readonly { condition: Expression | undefined; parts: readonly Part[] }[] }

/**
 * Compiles all strings, keys included, of a valid JSON text or of a part that cuts no string. The value of an
 * expression cannot end its string.
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
    // Most strings have no expression in them.
    if (parsed.every(({ kind }) => kind === 'source')) continue
    nodes.push({ kind: 'source', start: at, end: source.offsets[0] ?? at }, ...parsed)
    at = endOf(source)
  }
  const isPersonal = nodes.length > 0
  nodes.push({ kind: 'source', start: at, end: json.length })
  const parts = linkParts(nodes, json)
  return { ...uses, isPersonal, write: (scope, out) => new Rendering(scope, out, escapeJson).render(parts) }
}

/** Compiles a header's value. @param value printable ASCII @throws TemplateError */
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
    // Adjacent pieces of the source become one part.
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
  /** Pieces are joined here, because one write per piece would take three times as long. */
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

/** A header's value, which is ASCII: one byte per character. */
function readHeaderText(value: string): SourceText {
  return { bytes: value, offsets: Array.from({ length: value.length + 1 }, (_, index) => index) }
}
