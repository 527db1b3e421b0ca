/** A template that can't be compiled. The message says what is wrong and never holds any of the template itself. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  /** Where, in bytes from the start of the JSON or the header. */
  readonly offset: number

  constructor(what: string, offset: number) {
    super(`${what} at byte ${offset}`)
    this.offset = offset
  }
}
