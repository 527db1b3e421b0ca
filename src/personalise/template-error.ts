/** A template is not valid. The message names the problem and never contains a part of the template. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  /** The position of the problem, in bytes from the start of the JSON or of the header's value. */
  readonly offset: number

  constructor(problem: string, offset: number) {
    super(`${problem} at byte ${offset}`)
    this.offset = offset
  }
}
