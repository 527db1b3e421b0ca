// Options of the admin web UI that contradict each other or need another one.
import type { Config } from './schema.ts'

/** The shortest secret that can't be guessed from a session cookie. */
const MIN_SECRET = 16

/** The path below the web UI to which an identity provider sends people back. */
export const OIDC_CALLBACK = '/oidc/callback'

/** Problems of the section `admin`, one text for each. */
export function adminProblems(config: Config): string[] {
  const { enabled, insecure, password, viewer_password: viewer, secret, oidc } = config.admin
  // Without `enabled`, a server to try may still have a web UI.
  if (!enabled) return oidc.enabled ? oidcProblems(config) : []
  if (insecure) return [...prefixProblems(config), ...oidcWithoutUse(config)]
  return [
    ...prefixProblems(config),
    ...(password === '' && !oidc.enabled
      ? ['admin.password: is needed because admin.enabled is true and admin.oidc.enabled is not']
      : []),
    ...(secret.length < MIN_SECRET
      ? [`admin.secret: at least ${MIN_SECRET} characters are needed because admin.enabled is true`]
      : []),
    ...(viewer !== '' && viewer === password ? ['admin.viewer_password: is the same as admin.password'] : []),
    ...(oidc.enabled ? oidcProblems(config) : []),
  ]
}

function prefixProblems({ admin, upstream, client_push: push }: Config): string[] {
  const nodePrefix = upstream?.admin_handler_prefix
  const isAt = (prefix: string) => trimSlashes(prefix) === trimSlashes(admin.handler_prefix)
  return [
    ...(nodePrefix !== undefined && isAt(nodePrefix)
      ? ['admin.handler_prefix: is that of upstream.admin_handler_prefix, where the web UI of the node is']
      : []),
    ...(push.http_enabled && isAt(push.http_handler_prefix)
      ? ['admin.handler_prefix: is that of client_push.http_handler_prefix, where the methods of clients are']
      : []),
  ]
}

function oidcWithoutUse({ admin }: Config): string[] {
  return admin.oidc.enabled
    ? ['admin.oidc.enabled: has no use because admin.insecure makes everyone an administrator']
    : []
}

const NEEDED = ['display_name', 'issuer', 'client_id', 'redirect_uri', 'access_cel'] as const

function oidcProblems({ admin }: Config): string[] {
  const { oidc } = admin
  const path = `${trimSlashes(admin.handler_prefix)}/admin${OIDC_CALLBACK}`
  const isCallback = oidc.redirect_uri === undefined || new URL(oidc.redirect_uri).pathname === path
  return [
    ...NEEDED.filter((option) => oidc[option] === undefined).map(
      (option) => `admin.oidc.${option}: is needed because admin.oidc.enabled is true`,
    ),
    ...(isCallback ? [] : [`admin.oidc.redirect_uri: its path must be ${path}, where the web UI expects the answer`]),
  ]
}

function trimSlashes(prefix: string): string {
  return prefix.replace(/\/+$/, '')
}
