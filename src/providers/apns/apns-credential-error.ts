/** A key or certificate for APNs can't be used. Says what is wrong with it, never what stands in it. */
export class ApnsCredentialError extends Error {
  override readonly name = 'ApnsCredentialError'
}
