/** A key or certificate for APNs is not valid. The message says why and quotes nothing of the key or certificate. */
export class ApnsCredentialError extends Error {
  override readonly name = 'ApnsCredentialError'
}
