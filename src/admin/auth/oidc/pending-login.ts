// The begun logins. They are kept in an encrypted cookie of the browser and not on the server: the answer of the
// identity provider may arrive at another server, and only the browser that began a login can end it.
import { createHmac } from 'node:crypto'
import { EncryptJWT, jwtDecrypt } from 'jose'
import * as v from 'valibot'
import type { AdminContext } from '../../admin-environment.ts'
import { PrivateCookie } from '../private-cookie.ts'

/** A login that has begun and waits for the answer of the identity provider. */
export interface PendingLogin {
  /** Connects the answer with this login (RFC 6749 section 10.12). */
  state: string
  /** Connects the ID token with this login (OpenID Connect Core section 15.5.2). */
  nonce: string
  /** The secret of PKCE (RFC 7636). */
  codeVerifier: string
  /** The page to show after the login. */
  next: string
}

/** People have this long to log in at the identity provider. */
const VALID_SECONDS = 15 * 60
const ENCRYPTION = { alg: 'dir', enc: 'A256GCM' } as const

const Claims = v.object({ state: v.string(), nonce: v.string(), codeVerifier: v.string(), next: v.string() })

/** `Lax`, because the browser comes back from another site. */
const cookie = new PrivateCookie('centripush_login', 'Lax')

/** Keeps begun logins. A browser has one at a time: the last one. */
export class PendingLogins {
  readonly #key: Uint8Array
  readonly #now: () => number

  /** @param deps.now Unix time in ms */
  constructor({ secret, now }: { secret: string; now(): number }) {
    this.#key = createHmac('sha256', secret).update('centripush pending login').digest()
    this.#now = now
  }

  /** Keeps a begun login in the browser. */
  async keep(context: AdminContext, login: PendingLogin): Promise<void> {
    const seconds = Math.floor(this.#now() / 1000)
    const token = await new EncryptJWT({ ...login })
      .setProtectedHeader(ENCRYPTION)
      .setExpirationTime(seconds + VALID_SECONDS)
      .encrypt(this.#key)
    cookie.set(context, token, VALID_SECONDS)
  }

  /** Takes the begun login with this state out of the browser. Resolves to undefined if the browser has none. */
  async take(context: AdminContext, state: string | undefined): Promise<PendingLogin | undefined> {
    const token = cookie.read(context)
    if (token === undefined) return undefined
    const decrypted = await jwtDecrypt(token, this.#key, {
      keyManagementAlgorithms: [ENCRYPTION.alg],
      contentEncryptionAlgorithms: [ENCRYPTION.enc],
      currentDate: new Date(this.#now()),
    }).catch(() => undefined)
    const { success, output } = v.safeParse(Claims, decrypted?.payload)
    // Another login of this browser may be pending, so its cookie is kept.
    if (!success || output.state !== state) return undefined
    cookie.remove(context)
    return output
  }
}
