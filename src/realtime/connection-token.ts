// The connection JWT of clients, verified as the node does: with the keys, audience and issuer of `client.token`.
import { createPublicKey, type KeyObject } from 'node:crypto'
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'

/** The options of `client.token`. An undefined key accepts no token of its algorithms. */
export interface TokenOptions {
  hmacSecret: string | undefined
  /** The secret before the last change, and the Unix time in ms until which it is accepted. */
  previousHmacSecret: { secret: string; untilMs: number } | undefined
  /** PEM. */
  rsaPublicKey: string | undefined
  /** PEM. */
  ecdsaPublicKey: string | undefined
  /** With it the other keys are not used. */
  jwksEndpoint: string | undefined
  audience: string | undefined
  issuer: string | undefined
  userClaim: string
}

/** The user of a token, empty for an anonymous one; or why there is none. `unavailable`: its key could not be read. */
export type TokenResult = { user: string } | { problem: 'invalid' | 'expired' | 'unavailable'; error: unknown }

/** Verifies a token. Never rejects. */
export type VerifyToken = (token: string) => Promise<TokenResult>

type Verify = (token: string) => Promise<{ payload: JWTPayload }>

/** The algorithms of each kind of key. A key is never used with those of another kind. */
const HMAC = ['HS256', 'HS384', 'HS512']
const RSA = ['RS256', 'RS384', 'RS512']
const ECDSA = ['ES256', 'ES384', 'ES512']
/** Each curve has one algorithm (RFC 7518 section 3.4). */
const ECDSA_OF_CURVE: Record<string, string> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }
/** In ms. A client waits for the answer. */
const JWKS_TIMEOUT_MS = 3000

/** Makes the verification of tokens. @throws Error if a public key can't be read */
export function makeTokenCheck(options: TokenOptions): VerifyToken {
  const verifies = listKeys(options)
  return async (token) => {
    let result: TokenResult = { problem: 'invalid', error: undefined }
    for (const verify of verifies) {
      try {
        const { payload } = await verify(token)
        const user = payload[options.userClaim] ?? ''
        return typeof user === 'string' ? { user } : { problem: 'invalid', error: undefined }
      } catch (error) {
        result = { problem: explain(error), error }
        // The signature is checked before the claims, so another key can't make this token valid.
        if (result.problem === 'expired') return result
      }
    }
    return result
  }
}

function listKeys(options: TokenOptions): Verify[] {
  const { hmacSecret, previousHmacSecret: previous, rsaPublicKey, ecdsaPublicKey, jwksEndpoint } = options
  const { audience, issuer } = options
  const claims = { ...(audience !== undefined && { audience }), ...(issuer !== undefined && { issuer }) }
  if (jwksEndpoint !== undefined) {
    const keys = createRemoteJWKSet(new URL(jwksEndpoint), { timeoutDuration: JWKS_TIMEOUT_MS })
    return [(token) => jwtVerify(token, keys, { ...claims, algorithms: [...RSA, ...ECDSA, 'EdDSA'] })]
  }
  const verifyWith = (key: Uint8Array | KeyObject, algorithms: string[]) => (token: string) =>
    jwtVerify(token, key, { ...claims, algorithms })
  const hmac = (secret: string) => verifyWith(new TextEncoder().encode(secret), HMAC)
  return [
    ...(hmacSecret === undefined ? [] : [hmac(hmacSecret)]),
    ...(previous === undefined ? [] : [endingAt(previous.untilMs, hmac(previous.secret))]),
    ...(rsaPublicKey === undefined ? [] : [verifyWith(createPublicKey(rsaPublicKey), RSA)]),
    ...(ecdsaPublicKey === undefined ? [] : [verifyEcdsa(createPublicKey(ecdsaPublicKey), verifyWith)]),
  ]
}

function verifyEcdsa(key: KeyObject, verifyWith: (key: KeyObject, algorithms: string[]) => Verify): Verify {
  const algorithm = ECDSA_OF_CURVE[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (algorithm === undefined) throw new Error('the curve of the key is not one of P-256, P-384 and P-521')
  return verifyWith(key, [algorithm])
}

function endingAt(untilMs: number, verify: Verify): Verify {
  return async (token) => {
    if (Date.now() > untilMs) throw new errors.JWSSignatureVerificationFailed()
    return verify(token)
  }
}

/** Errors of jose about the key set itself: it could not be read, or is not one. */
const OF_KEY_SET = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID'])

function explain(error: unknown): 'invalid' | 'expired' | 'unavailable' {
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JOSEError && !OF_KEY_SET.has(error.code)) return 'invalid'
  return 'unavailable'
}
