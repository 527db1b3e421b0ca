import { parse, TomlError } from 'smol-toml'
import { FileSyntaxError } from './file-syntax-error.ts'

/** Parses TOML. @throws FileSyntaxError for a syntax error, or for a key or table that is defined twice */
export function parseTomlFile(content: string): unknown {
  try {
    return parse(content)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // Only the first line is used: the others quote the file, which may contain secrets.
    const [problem = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
    throw new FileSyntaxError(problem, error)
  }
}
