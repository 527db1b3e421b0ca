/** A key or certificate for APNs is not valid. The message says why and never quotes it. */
export class ApnsCredentialError extends Error {
  override readonly name = 'ApnsCredentialError'
}
