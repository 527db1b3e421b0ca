/** A configuration file does not parse. The message never contains its text, which may be secret. */
export class FileSyntaxError extends Error {
  override readonly name = 'FileSyntaxError'
  /** From 1. */
  readonly line: number
  /** From 1, in characters. */
  readonly column: number

  constructor(problem: string, { line, column }: { line: number; column: number }) {
    super(problem)
    this.line = line
    this.column = column
  }
}
