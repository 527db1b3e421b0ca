import { ActionLog } from '../admin/actions/action-log.ts'
import { type AdminUi, makeAdminUi } from '../admin/admin-app.tsx'
import type { AdminSources } from '../admin/admin-sources.ts'
import { AdminAuth } from '../admin/auth/admin-auth.ts'
import { EndedSessions } from '../admin/auth/ended-sessions.ts'
import type { OidcOptions } from '../admin/auth/oidc/oidc-options.ts'
import { LivePolls } from '../admin/live/live-polls.ts'
import { hideSecrets } from '../config/hide-secrets.ts'
import { loadOrMakeKey } from '../config/made-key.ts'
import type { Role } from '../config/role.ts'
import type { Config } from '../config/schema.ts'
import type { Sql } from '../database/pool.ts'
import { startUpkeep } from '../database/upkeep.ts'
import type { OnStop } from '../shutdown-phases.ts'
import { makeAddressReader } from '../upstream/client-address.ts'
import type { Plan } from './plan.ts'

interface AdminPlan extends Plan {
  role: Role
  /** The API key was generated: a server to try, on the loopback interface unless an address is configured. */
  isKeyMade: boolean
  sources: AdminSources | undefined
  sql: Sql | undefined
}

interface RunningAdmin {
  ui: AdminUi
  /** The link that logs in once, for the base URL of the server; undefined if there is none. */
  makeLink(url: string): string | undefined
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/** Makes the admin web UI, if it is enabled. @throws ConfigError if the key of its sessions can't be stored */
export function startAdmin(plan: AdminPlan, onStop: OnStop): RunningAdmin | undefined {
  const { config, logger, sources, sql } = plan
  const isTrial = hasTrialAdmin(config, plan.isKeyMade)
  if (plan.role === 'worker' || !(config.admin.enabled ?? isTrial)) return undefined
  const { insecure, password, viewer_password: viewerPassword } = config.admin
  const secret =
    isTrial && config.admin.secret === '' ? loadOrMakeKey(config.data_dir, 'admin_secret') : config.admin.secret
  if (insecure) logger.warn('admin: insecure, everyone who reaches the port is an administrator')
  const oidc = readOidc(config)
  const ended = new EndedSessions({ sql, logger })
  const auth = new AdminAuth({
    password,
    viewerPassword,
    secret,
    otherOptions: oidc ? [oidc.issuer, oidc.clientId, oidc.audience, oidc.adminRule, oidc.viewerRule ?? ''] : [],
    ended,
    isInsecure: insecure,
    hasLink: isTrial && !insecure,
    now: Date.now,
  })
  const actions = new ActionLog({ sql, logger })
  if (sql) {
    const upkeep = startUpkeep([() => actions.deleteOld(), () => ended.deleteExpired()], logger)
    onStop.close('admin upkeep', () => upkeep.stop())
  }
  const live = new LivePolls({ logger })
  // Open pages would keep their connections until the end of the grace period.
  onStop.drain('admin live pages', () => live.stop())
  const readAddress = makeAddressReader(config.http_server.trusted_proxies)
  const ui = makeAdminUi({
    base: `${config.admin.handler_prefix.replace(/\/+$/, '')}/admin`,
    auth,
    oidc: oidc && { options: oidc, secret },
    actions,
    live,
    sources,
    configuration: hideSecrets(config),
    readAddress: (incoming) => readAddress(incoming)?.realIp ?? '',
    logger,
  })
  return {
    ui,
    makeLink: (url) => (auth.linkToken === '' ? undefined : `${url}${ui.base}/link/${auth.linkToken}`),
  }
}

/** Whether the web UI is on by default: the server made its API key itself and listens on a loopback address. */
function hasTrialAdmin({ admin, http_server: server }: Config, isKeyMade: boolean): boolean {
  const address = server.internal_port === undefined ? server.address : server.internal_address || server.address
  return admin.enabled === undefined && isKeyMade && (address === undefined || LOOPBACK.has(address))
}

/** The options of the identity provider; undefined without one. */
function readOidc({ admin: { oidc } }: Config): OidcOptions | undefined {
  const { display_name: displayName, issuer, client_id: clientId, redirect_uri: redirectUri } = oidc
  const { access_cel: adminRule, viewer_access_cel: viewerRule } = oidc
  if (!oidc.enabled || !displayName || !issuer || !clientId || !redirectUri || adminRule === undefined) return undefined
  const { client_secret: clientSecret, audience, extra_scopes: extraScopes } = oidc
  return { displayName, issuer, clientId, clientSecret, audience, redirectUri, extraScopes, adminRule, viewerRule }
}
