import { ApiError } from '../protocol/errors.ts'

const MAX_UID_BYTES = 256

/**
 * Checks the uid of a send. Braces are refused because they would determine the Cluster slot of its Redis keys, control
 * characters because they would break logs and target lines.
 * @throws ApiError badRequest
 */
export function checkUid(uid: string): void {
  if (uid === '' || Buffer.byteLength(uid) > MAX_UID_BYTES || /[\p{Cc}{}]/u.test(uid)) {
    throw new ApiError('badRequest', `uid: must be 1 to ${MAX_UID_BYTES} bytes without control characters and braces`)
  }
}
