// Patterns of origins, in the glob syntax of Centrifugo's `client.allowed_origins` (github.com/gobwas/glob without
// separators). `*` and `**` match any characters, `?` any single character, `[abc]` and `[a-z]` one of these
// characters, `[!a-z]` any other one, `{a,b}` one of these patterns, and `\` makes the next character literal.
import * as v from 'valibot'

/**
 * Compiles a pattern to a regular expression that matches whole origins in lower case; undefined for a malformed
 * pattern.
 */
export function compileOriginPattern(pattern: string): RegExp | undefined {
  const source = new GlobReader(pattern.toLowerCase()).read()
  if (source === undefined) return undefined
  try {
    return new RegExp(`^${source}$`, 'su')
  } catch (error) {
    // The pattern is malformed, for example with a range such as [z-a].
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The schema of an option that is an origin pattern. */
export const originPattern = v.pipe(
  v.string(),
  v.check(
    (pattern) => compileOriginPattern(pattern) !== undefined,
    (issue) => `expected a pattern of origins such as "https://*.example.com" but found "${issue.input}"`,
  ),
)

class GlobReader {
  readonly #characters: string[]
  #at = 0

  constructor(pattern: string) {
    this.#characters = [...pattern]
  }

  /** Reads the whole pattern. Returns the source of the regular expression; undefined for a malformed pattern. */
  read(): string | undefined {
    const source = this.#readUntil([])
    return this.#at === this.#characters.length ? source : undefined
  }

  /** Reads the pattern up to one of the characters in `ends`, or to its end. */
  #readUntil(ends: readonly string[]): string | undefined {
    let source = ''
    for (let next = this.#characters[this.#at]; next !== undefined; next = this.#characters[this.#at]) {
      if (ends.includes(next)) return source
      this.#at++
      const part = this.#readOne(next)
      if (part === undefined) return undefined
      source += part
    }
    return source
  }

  #readOne(character: string): string | undefined {
    switch (character) {
      case '*':
        return '.*'
      case '?':
        return '.'
      case '\\':
        return this.#readEscaped()
      case '[':
        return this.#readClass()
      case '{':
        return this.#readAlternatives()
      case ']':
      case '}':
        return undefined
      default:
        return quote(character)
    }
  }

  #readEscaped(): string | undefined {
    const character = this.#characters[this.#at++]
    return character === undefined ? undefined : quote(character)
  }

  #readClass(): string | undefined {
    const end = this.#characters.indexOf(']', this.#at)
    const content = this.#characters.slice(this.#at, end)
    const isNegated = content[0] === '!'
    const members = isNegated ? content.slice(1) : content
    if (end === -1 || members.length === 0) return undefined
    this.#at = end + 1
    const source = members.map((character) => (character === '-' ? '-' : quote(character))).join('')
    return `[${isNegated ? '^' : ''}${source}]`
  }

  #readAlternatives(): string | undefined {
    const alternatives: string[] = []
    for (;;) {
      const alternative = this.#readUntil([',', '}'])
      if (alternative === undefined) return undefined
      alternatives.push(alternative)
      const end = this.#characters[this.#at++]
      if (end === undefined) return undefined
      if (end === '}') return `(?:${alternatives.join('|')})`
    }
  }
}

function quote(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character
}
