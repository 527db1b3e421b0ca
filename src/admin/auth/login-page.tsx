import { Input } from '../layout/form.tsx'
import { BarePage } from '../layout/page.tsx'
import type { Ui } from '../layout/ui.ts'

interface LoginProps {
  ui: Ui
  /** The page to show after the login. */
  next: string
  hasPassword: boolean
  /** Why the last attempt failed; empty on the first visit. */
  problem: string
  /** Whether the browser would not keep the session cookie. */
  losesCookie: boolean
}

/** The form for the password. */
export function LoginPage({ ui, next, hasPassword, problem, losesCookie }: LoginProps) {
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
      {hasPassword ? (
        <form method="post" action={ui.link('/login')}>
          <input type="hidden" name="next" value={next} />
          <Input label="Password" name="password" type="password" isRequired autocomplete="current-password" />
          <p class="buttons">
            <button type="submit">Log in</button>
          </p>
        </form>
      ) : (
        <p>
          This server has no password yet. Open the link that its start has printed: it logs in once. To log in again,
          restart the server, or set <code>admin.enabled</code>, <code>admin.password</code> and{' '}
          <code>admin.secret</code>.
        </p>
      )}
    </BarePage>
  )
}
