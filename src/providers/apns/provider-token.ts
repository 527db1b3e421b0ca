// The rules for provider tokens: a JWT that identifies the team, one for all workers. Apple wants it renewed "no more
// than once every 20 minutes and no less than once every 60 minutes" and counts the tokens of a team. So the age of a
// token counts from when it was made, in whichever process, and it is shared through the credential cache. The worker
// that finds it due there makes the next one under the lock of the cache; the others find that one.
import { SignJWT } from 'jose'
import * as v from 'valibot'
import type { Logger } from '../../observability/log.ts'
import type { Token, TokenRules } from '../credential/renewable-token.ts'
import { TokenError } from '../credential/token-error.ts'
import type { CredentialCache } from '../credential-cache.ts'
import { EXPIRED_PROVIDER_TOKEN } from './outcome.ts'
import type { SigningKey } from './signing-key.ts'

const MINUTE_MS = 60_000
const RENEW_AT_AGE_MS = 45 * MINUTE_MS
/** The age in ms from which on a token is not used: two minutes before APNs calls it expired, because clocks differ. */
const UNUSED_AT_AGE_MS = 58 * MINUTE_MS
/** The age in ms below which a token is never replaced: APNs would refuse the tokens of the whole team. */
const MIN_AGE_TO_RENEW_MS = 20 * MINUTE_MS

/** A token as the cache stores it. Other versions of the server read it too: fields may be added, but never changed. */
const StoredToken = v.object({ token: v.string(), minted_at_ms: v.number() })
type StoredToken = v.InferOutput<typeof StoredToken>

export interface ProviderTokenDeps {
  key: SigningKey
  cache: CredentialCache
  logger: Logger
  /** Returns the current Unix time in ms. */
  nowMs: () => number
}

/** Makes the rules for the provider tokens that one signing key signs. */
export function makeProviderTokenRules(deps: ProviderTokenDeps): TokenRules {
  return {
    obtain: async (refused) => {
      const token = parseToken(await updateCache(deps, refused))
      if (!token) throw new TokenError('credential_cache_unavailable')
      return token
    },
    // Only this reason concerns the age of the token; all other refusals concern the key, the team or the app.
    isReplaceable: (reason) => reason === EXPIRED_PROVIDER_TOKEN,
    keepsRefused: true,
  }
}

/** Reads the token in the cache, and replaces it there first if it is due for renewal. */
async function updateCache(deps: ProviderTokenDeps, refused: string | undefined): Promise<string> {
  const { teamId, keyId, fingerprint } = deps.key
  try {
    return await deps.cache.update(`apns:${teamId}:${keyId}:${fingerprint}`, async (stored) => {
      const token = stored === undefined ? undefined : parseStored(stored)
      if (stored === undefined || !token) return JSON.stringify(await mint(deps))
      const dueAtAgeMs = token.token === refused ? MIN_AGE_TO_RENEW_MS : RENEW_AT_AGE_MS
      return deps.nowMs() - token.minted_at_ms >= dueAtAgeMs ? JSON.stringify(await mint(deps)) : stored
    })
  } catch (error) {
    throw new TokenError('credential_cache_unavailable', { cause: error })
  }
}

async function mint({ key, logger, nowMs }: ProviderTokenDeps): Promise<StoredToken> {
  const now = nowMs()
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: key.keyId })
    .setIssuer(key.teamId)
    .setIssuedAt(Math.floor(now / 1000))
    .sign(key.privateKey)
  logger.info({ provider: 'apns' }, 'credential: token renewed for all workers')
  return { token, minted_at_ms: now }
}

function parseToken(stored: string): Token | undefined {
  const parsed = parseStored(stored)
  if (!parsed) return undefined
  const { token, minted_at_ms } = parsed
  return { text: token, renewAtMs: minted_at_ms + RENEW_AT_AGE_MS, endsAtMs: minted_at_ms + UNUSED_AT_AGE_MS }
}

/** Parses a cached value; undefined if it is not a token, which is then replaced. */
function parseStored(stored: string): StoredToken | undefined {
  try {
    const parsed = v.safeParse(StoredToken, JSON.parse(stored))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}
