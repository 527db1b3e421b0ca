/** A document has more fields and items than are read of one. */
export class JsonLimitError extends Error {
  override readonly name = 'JsonLimitError'

  constructor(limit: number) {
    super(`more than ${limit} fields and items`)
  }
}
