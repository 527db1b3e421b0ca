// Makes one provider from its section of the configuration. Its credential is read and checked; nothing is sent.
import { ConfigError } from '../config/config-error.ts'
import type { ProviderName } from '../config/provider-names.ts'
import { makeEndpointCheck } from '../devices/web-push-endpoint.ts'
import type { Logger } from '../observability/log.ts'
import { type ApnsAuth, ApnsProvider } from '../providers/apns/apns.ts'
import { loadClientCertificate, loadSigningKey } from '../providers/apns/load-credential.ts'
import type { CredentialCache } from '../providers/credential-cache.ts'
import { FcmProvider } from '../providers/fcm/fcm.ts'
import { loadFcmAccount } from '../providers/fcm/load-account.ts'
import { HmsProvider } from '../providers/hms/hms.ts'
import type { MakeBreaker } from '../providers/outage.ts'
import type { Provider } from '../providers/provider.ts'
import { ReloadingProvider } from '../providers/reloading-provider.ts'
import { UnusableProvider } from '../providers/unusable-provider.ts'
import { makeAddressPolicy } from '../providers/webpush/address-policy.ts'
import { readVapidKeys, type VapidKeys, VapidKeysError } from '../providers/webpush/vapid-keys.ts'
import { WebPushProvider } from '../providers/webpush/webpush.ts'
import type { Plan } from './plan.ts'
import { readCa } from './read-ca.ts'

/** The parts of each provider. */
export interface ProviderParts extends Plan {
  makeBreaker: MakeBreaker
  /** Opens the cache of the tokens that all workers share. */
  openCredentialCache(): Promise<CredentialCache>
}

/**
 * Makes a provider with credentials.
 * @throws ConfigError for a credential that can not be used; with `push_notifications.lenient` it is logged, and the
 *   provider pauses
 */
export function makeProvider(name: ProviderName, parts: ProviderParts): Promise<Provider> {
  switch (name) {
    case 'fcm':
      return makeFcm(parts)
    case 'apns':
      return makeApns(parts)
    case 'hms':
      return makeReloading('hms', [parts.config.push_notifications.hms.ca_file], parts, async () => makeHms(parts))
    case 'webpush': {
      const { ca_file } = parts.config.push_notifications.webpush
      return makeReloading('webpush', [ca_file], parts, async () => makeWebPush(parts))
    }
  }
}

/** Makes a provider that is replaced when one of its files changes, also after a start with an unusable one. */
async function makeReloading(
  name: ProviderName,
  files: readonly (string | undefined)[],
  { config, logger }: Plan,
  make: () => Promise<Provider>,
): Promise<Provider> {
  const named = files.filter((file) => file !== undefined)
  const makeFirst = () => make().catch((error: unknown) => replaceUnusable(name, error, config, logger))
  return named.length === 0
    ? await makeFirst()
    : await ReloadingProvider.start({ files: named, makeFirst, make, logger })
}

function replaceUnusable(name: ProviderName, error: unknown, config: Plan['config'], logger: Logger): Provider {
  if (!(error instanceof ConfigError) || !config.push_notifications.lenient) throw error
  logger.error({ provider: name, problem: error.message }, 'credential: not usable, provider paused')
  return new UnusableProvider(name)
}

function makeFcm(parts: ProviderParts): Promise<Provider> {
  const { logger, makeBreaker } = parts
  const { fcm } = parts.config.push_notifications
  return makeReloading('fcm', [fcm.credentials_file, fcm.ca_file], parts, async () => {
    const ca = readCa('push_notifications.fcm.ca_file', fcm.ca_file)
    return new FcmProvider({
      account: await loadFcmAccount(fcm, ca),
      pushEndpoint: fcm.push_endpoint,
      authEndpoint: fcm.auth_endpoint,
      ca,
      makeBreaker,
      logger,
    })
  })
}

async function makeApns(parts: ProviderParts): Promise<Provider> {
  const { logger, makeBreaker } = parts
  const { apns } = parts.config.push_notifications
  const loadAuth = await chooseApnsAuth(parts)
  return await makeReloading('apns', [apns.token_key_file, apns.cert_p12_file, apns.ca_file], parts, async () => {
    return new ApnsProvider({
      endpoint: apns.endpoint,
      bundleId: apns.bundle_id ?? '',
      auth: loadAuth(),
      ca: readCa('push_notifications.apns.ca_file', apns.ca_file),
      makeBreaker,
      logger,
    })
  })
}

/** Chooses how to authenticate to APNs. @returns a function that reads the credential from its source at each call */
async function chooseApnsAuth({ config, openCredentialCache }: ProviderParts): Promise<() => ApnsAuth> {
  const { apns } = config.push_notifications
  if (apns.auth_type === 'cert') return () => ({ kind: 'certificate', certificate: loadClientCertificate(apns) })
  const cache = await openCredentialCache()
  return () => ({ kind: 'token', key: loadSigningKey(apns), cache })
}

function makeHms({ config, logger, makeBreaker }: ProviderParts): Provider {
  const { app_id = '', app_secret = '', push_endpoint, auth_endpoint, ca_file } = config.push_notifications.hms
  return new HmsProvider({
    appId: app_id,
    appSecret: app_secret,
    pushEndpoint: push_endpoint,
    authEndpoint: auth_endpoint,
    ca: readCa('push_notifications.hms.ca_file', ca_file),
    makeBreaker,
    logger,
  })
}

function makeWebPush({ config, logger, makeBreaker }: ProviderParts): Provider {
  const { webpush } = config.push_notifications
  const { private_endpoint_networks: networks, subject = '', ca_file } = webpush
  if (networks.length > 0) logger.warn({ networks }, 'webpush: connections to private networks allowed')
  return new WebPushProvider({
    keys: loadVapidKeys(webpush.vapid_public_key ?? '', webpush.vapid_private_key ?? ''),
    subject,
    isAddressAllowed: makeAddressPolicy(networks),
    checkEndpoint: makeEndpointCheck(webpush),
    ca: readCa('push_notifications.webpush.ca_file', ca_file),
    makeBreaker,
    logger,
  })
}

function loadVapidKeys(publicKey: string, privateKey: string): VapidKeys {
  try {
    return readVapidKeys(publicKey, privateKey)
  } catch (error) {
    throw error instanceof VapidKeysError ? new ConfigError(`push_notifications.webpush.${error.message}`) : error
  }
}
