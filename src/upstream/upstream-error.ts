/** The node is not reachable, did not answer in time, or answered with another status than 200. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'
}
