import { hasCredentials } from './check.ts'
import { PROVIDER_NAMES, type ProviderName } from './provider-names.ts'
import type { Config } from './schema.ts'

/** The use of a provider: real, as the sandbox, or off. */
export interface ProviderMode {
  provider: ProviderName
  mode: 'real' | 'sandbox' | 'off'
  /** The account of a real provider, without secrets; the reason of another mode. */
  detail: string
}

/** The modes of all providers. A sandbox records the pushes in place of sending them. */
export function describeProviders(config: Config): ProviderMode[] {
  return PROVIDER_NAMES.map((provider) => ({ provider, ...describeProvider(config, provider) }))
}

function describeProvider(config: Config, provider: ProviderName): Omit<ProviderMode, 'provider'> {
  const { enabled, enabled_providers: enabledProviders, dry_run: isDryRun } = config.push_notifications
  if (!enabled) return { mode: 'off', detail: 'push_notifications.enabled is false' }
  if (enabledProviders && !enabledProviders.includes(provider)) {
    return { mode: 'off', detail: 'push_notifications.enabled_providers does not name it' }
  }
  if (isDryRun) return { mode: 'sandbox', detail: 'push_notifications.dry_run is true' }
  if (!hasCredentials(config, provider)) return { mode: 'sandbox', detail: 'no credentials' }
  return { mode: 'real', detail: describeAccount(config, provider) }
}

function describeFcm({ credentials_file, credentials_json, project_id }: Config['push_notifications']['fcm']): string {
  const project = project_id === undefined ? '' : `project ${project_id}, `
  if (credentials_file !== undefined) return `${project}credentials in ${credentials_file}`
  return `${project}${credentials_json === undefined ? 'application default credentials' : 'credentials_json'}`
}

function describeAccount(config: Config, provider: ProviderName): string {
  const { fcm, apns, hms, webpush } = config.push_notifications
  const key = apns.auth_type === 'cert' ? 'client certificate' : `team ${apns.token_team_id}, key ${apns.token_key_id}`
  const accounts: Record<ProviderName, string> = {
    fcm: describeFcm(fcm),
    apns: `${apns.endpoint}, ${apns.bundle_id}, ${key}`,
    hms: `app ${hms.app_id}`,
    webpush: `contact ${webpush.subject}`,
  }
  return accounts[provider]
}
