import { makeSecretCheck } from '../../protocol/secret-check.ts'
import { FailedLogins } from './failed-logins.ts'
import { LoginLink } from './login-link.ts'
import type { AdminRole, Session } from './session.ts'
import { SessionTokens } from './session-tokens.ts'

/** How people log in. */
export interface AuthOptions {
  /** The password of administrators; empty: none, only a link logs in. */
  password: string
  /** The password of viewers; empty: there are none. */
  viewerPassword: string
  secret: string
  /** Everyone is an administrator. */
  isInsecure: boolean
  /** Whether a link that logs in once is made. */
  hasLink: boolean
  /** Unix time in ms. */
  now(): number
}

/** The result of an attempt to log in. `waitMs`: the address has failed too often. */
export type LoginResult = { session: Session } | 'refused' | { waitMs: number }

/** Checks passwords and links, and keeps sessions. */
export class AdminAuth {
  readonly tokens: SessionTokens
  readonly #options: AuthOptions
  readonly #failed: FailedLogins
  readonly #link: LoginLink | undefined
  readonly #isAdmins: ReturnType<typeof makeSecretCheck>
  readonly #isViewers: ReturnType<typeof makeSecretCheck>

  constructor(options: AuthOptions) {
    const { secret, password, viewerPassword, now } = options
    this.tokens = new SessionTokens({ secret, passwords: [password, viewerPassword], now })
    this.#options = options
    this.#isAdmins = makeSecretCheck(password)
    this.#isViewers = makeSecretCheck(viewerPassword)
    this.#failed = new FailedLogins(now)
    this.#link = options.hasLink ? new LoginLink(now) : undefined
  }

  get isInsecure(): boolean {
    return this.#options.isInsecure
  }

  /** Whether a password of administrators exists. */
  get hasPassword(): boolean {
    return this.#options.password !== ''
  }

  /** The token of the link that logs in once; empty without one. */
  get linkToken(): string {
    return this.#link?.token ?? ''
  }

  /** A new session. */
  makeSession(role: AdminRole): Session {
    return { role, loginAt: Math.floor(this.#options.now() / 1000) }
  }

  /**
   * Logs in with a password. Even the right one is refused while the address has to wait: otherwise an attacker could
   * go on guessing during the wait.
   */
  login(password: string, address: string): LoginResult {
    return this.#attempt(address, () => this.#findRole(password))
  }

  /** Logs in with the token of the link. A wrong one counts like a wrong password. */
  useLink(token: string, address: string): LoginResult {
    return this.#attempt(address, () => (this.#link?.use(token) ? 'admin' : undefined))
  }

  #attempt(address: string, findRole: () => AdminRole | undefined): LoginResult {
    const waitMs = this.#failed.waitMs(address)
    if (waitMs > 0) return { waitMs }
    const role = findRole()
    if (role) return { session: this.makeSession(role) }
    this.#failed.add(address)
    return 'refused'
  }

  #findRole(password: string): AdminRole | undefined {
    const { password: ofAdmins, viewerPassword: ofViewers } = this.#options
    // Both are compared in any case, so that the time reveals nothing. An empty password is never right.
    const [isAdmin, isViewer] = [this.#isAdmins(password), this.#isViewers(password)]
    if (isAdmin && ofAdmins !== '') return 'admin'
    return isViewer && ofViewers !== '' ? 'viewer' : undefined
  }
}
