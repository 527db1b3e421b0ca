import { hash, timingSafeEqual } from 'node:crypto'

/**
 * Makes a comparison with a secret. All digests have the same length, so the time of the comparison reveals neither
 * content nor length of the secret.
 */
export function makeSecretCheck(secret: string): (candidate: string | Buffer) => boolean {
  const expected = digest(secret)
  return (candidate) => timingSafeEqual(digest(candidate), expected)
}

function digest(key: string | Buffer): Buffer {
  return hash('sha256', key, 'buffer')
}
