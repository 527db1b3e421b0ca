import { Input } from '../layout/form.tsx'
import { BarePage } from '../layout/page.tsx'
import type { Ui } from '../layout/ui.ts'

interface LoginProps {
  ui: Ui
  /** The page to show after the login. */
  next: string
  hasPassword: boolean
  /** The name of the identity provider; undefined without one. */
  identityProvider: string | undefined
  /** Why the last attempt failed; empty on the first visit. */
  problem: string
  /** Whether the browser would not keep the session cookie. */
  losesCookie: boolean
}

/** The ways to log in: the identity provider, the form for the password, or the printed link. */
export function LoginPage({ ui, next, hasPassword, identityProvider, problem, losesCookie }: LoginProps) {
  return (
    <BarePage ui={ui} title="Log in">
      {losesCookie && (
        <p class="notice error">
          Browsers keep the session only over HTTPS. Open this page over HTTPS, or on the server itself as 127.0.0.1.
        </p>
      )}
      {problem !== '' && (
        <p class="notice error" role="alert">
          {problem}
        </p>
      )}
      {identityProvider !== undefined && (
        // A link and not a form: the policy for contents admits no form that leads to another site.
        <p class="buttons">
          <a class="button" href={ui.link('/oidc/login', { next })}>
            Log in with {identityProvider}
          </a>
        </p>
      )}
      {hasPassword && (
        <form method="post" action={ui.link('/login')}>
          <input type="hidden" name="next" value={next} />
          <Input label="Password" name="password" type="password" isRequired autocomplete="current-password" />
          <p class="buttons">
            <button type="submit">Log in</button>
          </p>
        </form>
      )}
      {!hasPassword && identityProvider === undefined && (
        <p>
          This server has no password yet. Open the link that its start has printed in the terminal: it logs in once. To
          log in again, restart the server, or set <code>admin.enabled</code>, <code>admin.password</code> and{' '}
          <code>admin.secret</code>.
        </p>
      )}
    </BarePage>
  )
}

/**
 * The page after a login at another site. The session cookie is not sent with requests that this site has caused, also
 * not after a redirect; the request by this page is one of our own.
 */
export function LoggedInPage({ ui, next }: { ui: Ui; next: string }) {
  return (
    <BarePage ui={ui} title="Logged in" continuesAt={next}>
      <p>
        <a href={next}>Continue</a>
      </p>
    </BarePage>
  )
}
