/** The node is not reachable, did not answer in time, or answered with another status than 200. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'
  /** The status of the answer; undefined without one. */
  readonly status: number | undefined

  constructor(message: string, { status, ...options }: ErrorOptions & { status?: number } = {}) {
    super(message, options)
    this.status = status
  }
}
