import { LineCounter, parseDocument } from 'yaml'
import { FileSyntaxError } from './file-syntax-error.ts'

/** Own texts for problems: those of the parser are for programmers, or would quote the file. */
const PROBLEMS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'duplicate key',
  MULTIPLE_DOCS: 'expected one document',
  TAG_RESOLVE_FAILED: 'tags such as !name are not supported',
  UNEXPECTED_TOKEN: 'unexpected text',
}

/**
 * Parses YAML with merge keys (`<<`). An empty file has no options.
 * @throws FileSyntaxError for a syntax error, two equal keys in one mapping, and an unknown tag or alias
 */
export function parseYamlFile(content: string): unknown {
  const lineCounter = new LineCounter()
  const document = parseDocument(content, { merge: true, lineCounter, prettyErrors: false, logLevel: 'error' })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem) {
    const { line, col } = lineCounter.linePos(problem.pos[0])
    throw new FileSyntaxError(PROBLEMS[problem.code] ?? problem.message, { line, column: col })
  }
  try {
    return document.toJS() ?? {}
  } catch (error) {
    // The library finds an unknown alias, or aliases that would fill the memory, only here and without a position.
    throw new FileSyntaxError(error instanceof Error ? error.message : 'does not parse', { line: 1, column: 1 })
  }
}
