import { JsonSyntaxError } from '../../json/json-syntax-error.ts'
import { parseJsonText } from '../../json/json-text.ts'
import { readMembers } from '../../json/object-members.ts'
import { kindAt, skipSpace } from '../../json/scanner.ts'
import { FileSyntaxError } from './file-syntax-error.ts'

/** Parses JSON. @throws FileSyntaxError for a syntax error, or for two equal keys in one object */
export function parseJsonFile(content: string): unknown {
  const source = Buffer.from(content)
  try {
    parseJsonText(source)
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    throw new FileSyntaxError(error.problem, locate(source, error.offset))
  }
  refuseDuplicates(source, skipSpace(source, 0))
  return JSON.parse(content)
}

function refuseDuplicates(source: Buffer, from: number): void {
  if (kindAt(source, from) !== 'object') return
  const names = new Set<string>()
  for (const { name, start, valueStart } of readMembers(source, from)) {
    if (names.has(name)) throw new FileSyntaxError(`duplicate key "${name}"`, locate(source, skipSpace(source, start)))
    names.add(name)
    refuseDuplicates(source, valueStart)
  }
}

/** Line and column of an offset in bytes. */
function locate(source: Buffer, offset: number): { line: number; column: number } {
  const lines = source.toString('utf8', 0, offset).split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}
