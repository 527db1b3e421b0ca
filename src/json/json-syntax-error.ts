/** A text is not valid JSON. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError'
  /** The problem without its position. */
  readonly problem: string
  /** The position of the error, in bytes from the start of the source. */
  readonly offset: number

  constructor(problem: string, offset: number) {
    super(`${problem} at byte ${offset}`)
    this.problem = problem
    this.offset = offset
  }
}
