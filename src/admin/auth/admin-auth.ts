import { makeSecretCheck } from '../../protocol/secret-check.ts'
import type { EndedSessions } from './ended-sessions.ts'
import { FailedLogins } from './failed-logins.ts'
import { LoginLink } from './login-link.ts'
import { type AdminRole, beginSession, type Session } from './session.ts'
import { SessionTokens } from './session-tokens.ts'

/** How people log in. */
export interface AuthOptions {
  /** The password of administrators; empty: none, only a link or an identity provider logs in. */
  password: string
  /** The password of viewers; empty: there are none. */
  viewerPassword: string
  secret: string
  /** The other options of the login: a change of one ends all sessions. */
  otherOptions: readonly string[]
  /** Everyone is an administrator. */
  isInsecure: boolean
  /** Whether a link that logs in once is made. */
  hasLink: boolean
  ended: EndedSessions
  /** Unix time in ms. */
  now(): number
}

/** The result of an attempt to log in. `waitMs`: the address has failed too often. */
export type LoginResult = { session: Session } | 'refused' | { waitMs: number }

/** Checks passwords and links, and keeps sessions. */
export class AdminAuth {
  readonly tokens: SessionTokens
  readonly failed: FailedLogins
  readonly ended: EndedSessions
  readonly #options: AuthOptions
  readonly #link: LoginLink | undefined
  readonly #isAdmins: ReturnType<typeof makeSecretCheck>
  readonly #isViewers: ReturnType<typeof makeSecretCheck>

  constructor(options: AuthOptions) {
    const { secret, password, viewerPassword, otherOptions, now } = options
    this.tokens = new SessionTokens({ secret, loginOptions: [password, viewerPassword, ...otherOptions], now })
    this.failed = new FailedLogins(now)
    this.ended = options.ended
    this.#options = options
    this.#isAdmins = makeSecretCheck(password)
    this.#isViewers = makeSecretCheck(viewerPassword)
    this.#link = options.hasLink ? new LoginLink(now) : undefined
  }

  get isInsecure(): boolean {
    return this.#options.isInsecure
  }

  /** Whether a password exists. */
  get hasPassword(): boolean {
    return this.#options.password !== '' || this.#options.viewerPassword !== ''
  }

  /** The token of the link that logs in once; empty without one. */
  get linkToken(): string {
    return this.#link?.token ?? ''
  }

  /** A new session. @param person the name at the identity provider; empty for a password or link */
  makeSession(role: AdminRole, person = ''): Session {
    return beginSession(this.#options.now(), role, person)
  }

  /** Reads the session of a token. Resolves to undefined if it has ended. */
  async readSession(token: string): Promise<{ session: Session; isOld: boolean } | undefined> {
    const found = await this.tokens.read(token, 'page')
    return found && !(await this.ended.has(found.session.id)) ? found : undefined
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
    const waitMs = this.failed.waitMs(address)
    if (waitMs > 0) return { waitMs }
    const role = findRole()
    if (role) return { session: this.makeSession(role) }
    this.failed.add(address)
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
