// The rules for OAuth access tokens (FCM, HMS): each process has its own token, and replaces it as soon as it is
// refused.
import type { TokenRules } from './renewable-token.ts'

/**
 * How long before its end a token is renewed, in ms, so that pushes continue during a shorter outage of the endpoint.
 */
const RENEW_BEFORE_END_MS = 5 * 60_000
/**
 * An access token is not used in the last ms of its life: when it arrives, it must still be valid by the server's
 * clock.
 */
const UNUSED_AT_END_MS = 15_000

/** A new access token from an OAuth endpoint. */
export interface AccessTokenGrant {
  accessToken: string
  /** How long the token is valid, in ms from the time of the request. */
  lifeMs: number
}

/**
 * Makes the rules for access tokens.
 * @param exchange gets a new access token from the OAuth endpoint; throws TokenError
 * @param nowMs returns the current Unix time in ms
 */
export function makeAccessTokenRules(
  exchange: (nowMs: number) => Promise<AccessTokenGrant>,
  nowMs: () => number,
): TokenRules {
  return {
    async obtain() {
      const now = nowMs()
      const { accessToken, lifeMs } = await exchange(now)
      const renewAtMs = now + Math.max(lifeMs - RENEW_BEFORE_END_MS, lifeMs / 2)
      return { text: accessToken, renewAtMs, endsAtMs: now + lifeMs - UNUSED_AT_END_MS }
    },
    // A refused token is always replaced: it may have been revoked before its end.
    isReplaceable: () => true,
    keepsRefused: false,
  }
}
