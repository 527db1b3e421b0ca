// The rules for OAuth access tokens (FCM, HMS): each process has its own, and a refused one is replaced at once.
import type { TokenRules } from './renewable-token.ts'

/** Renewal starts this long before the end, so that pushes go on during a shorter outage of the endpoint. */
const RENEW_BEFORE_END_MS = 5 * 60_000
/** Not used in its last seconds: the token must still be valid when it arrives, by the server's clock. */
const UNUSED_AT_END_MS = 15_000

/** A new access token from an OAuth endpoint. */
export interface AccessTokenGrant {
  accessToken: string
  /** How long the token is valid, in ms from the time of the request. */
  lifeMs: number
}

/**
 * Makes the rules. `exchange` gets a new access token from the endpoint and throws TokenError; `nowMs` is Unix time.
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
    // The token may have been revoked before its end.
    isReplaceable: () => true,
    keepsRefused: false,
  }
}
