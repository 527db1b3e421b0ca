import { chooseRedis, hasCredentials } from '../config/check.ts'
import { ConfigError } from '../config/config-error.ts'
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'
import type { Sql } from '../database/pool.ts'
import { runTransaction } from '../database/transaction.ts'
import { makeEndpointCheck } from '../devices/web-push-endpoint.ts'
import type { Logger } from '../observability/log.ts'
import { type ApnsAuth, ApnsProvider } from '../providers/apns/apns.ts'
import { loadClientCertificate, loadSigningKey } from '../providers/apns/load-credential.ts'
import type { CredentialCache } from '../providers/credential-cache.ts'
import { PostgresCredentialCache } from '../providers/credential-cache-postgres.ts'
import { RedisCredentialCache } from '../providers/credential-cache-redis.ts'
import { FcmProvider } from '../providers/fcm/fcm.ts'
import { loadServiceAccount, ServiceAccountError } from '../providers/fcm/service-account.ts'
import { HmsProvider } from '../providers/hms/hms.ts'
import type { MakeBreaker } from '../providers/outage.ts'
import type { Outages } from '../providers/outages.ts'
import type { Provider } from '../providers/provider.ts'
import { ReloadingProvider } from '../providers/reloading-provider.ts'
import { SandboxProvider } from '../providers/sandbox/sandbox.ts'
import { makeAddressPolicy } from '../providers/webpush/address-policy.ts'
import { readVapidKeys, type VapidKeys, VapidKeysError } from '../providers/webpush/vapid-keys.ts'
import { WebPushProvider } from '../providers/webpush/webpush.ts'
import { connectRedis } from '../redis/connect.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { Plan } from './plan.ts'
import { readCa } from './read-ca.ts'

/** The parts of each provider. */
interface ProviderParts extends Plan {
  makeBreaker: MakeBreaker
}

/**
 * Makes the enabled providers. A provider without credentials is a sandbox.
 * @throws ConfigError for unusable credentials
 */
export async function makeProviders(
  plan: Plan,
  outages: Outages,
  queueSql: Sql | undefined,
  onStop: OnStop,
): Promise<Map<ProviderName, Provider>> {
  const { config, logger } = plan
  const { enabled_providers: enabled = PROVIDER_NAMES, dry_run: isDryRun, dry_run_latency } = config.push_notifications
  const providers = new Map<ProviderName, Provider>()
  for (const name of enabled) {
    if (isDryRun) providers.set(name, new SandboxProvider({ name, latencyMs: dry_run_latency, logger }))
    else if (!hasCredentials(config, name)) providers.set(name, new SandboxProvider({ name, logger }))
    else {
      const parts = { ...plan, makeBreaker: outages.makeBreakerOf(name) }
      if (name === 'fcm') providers.set(name, await makeFcm(parts))
      else if (name === 'apns') providers.set(name, await makeApns(parts, queueSql, onStop))
      else if (name === 'hms') providers.set(name, makeHms(parts))
      else providers.set(name, makeWebPush(parts))
    }
  }
  return providers
}

/** Makes a provider that is replaced when one of its credential files changes. */
async function makeReloading(
  files: readonly (string | undefined)[],
  logger: Logger,
  make: () => Promise<Provider>,
): Promise<Provider> {
  const named = files.filter((file) => file !== undefined)
  return named.length === 0 ? await make() : await ReloadingProvider.start({ files: named, make, logger })
}

function makeFcm({ config, logger, makeBreaker }: ProviderParts): Promise<Provider> {
  const { credentials_file: file = '', push_endpoint, auth_endpoint, ca_file } = config.push_notifications.fcm
  return makeReloading([file, ca_file], logger, async () => {
    return new FcmProvider({
      serviceAccount: await loadServiceAccount(file).catch(explainServiceAccountError),
      pushEndpoint: push_endpoint,
      authEndpoint: auth_endpoint,
      ca: readCa('push_notifications.fcm.ca_file', ca_file),
      makeBreaker,
      logger,
    })
  })
}

function explainServiceAccountError(error: unknown): never {
  if (!(error instanceof ServiceAccountError)) throw error
  throw new ConfigError(`push_notifications.fcm.credentials_file: ${error.message}`, { cause: error })
}

async function makeApns(parts: ProviderParts, queueSql: Sql | undefined, onStop: OnStop): Promise<Provider> {
  const { config, logger, makeBreaker } = parts
  const { apns } = config.push_notifications
  const loadAuth = await chooseApnsAuth(parts, queueSql, onStop)
  return makeReloading([apns.token_key_file, apns.cert_p12_file, apns.ca_file], logger, async () => {
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
async function chooseApnsAuth(plan: Plan, queueSql: Sql | undefined, onStop: OnStop): Promise<() => ApnsAuth> {
  const { apns } = plan.config.push_notifications
  if (apns.auth_type === 'cert') return () => ({ kind: 'certificate', certificate: loadClientCertificate(apns) })
  const cache = await makeCredentialCache(plan, queueSql, onStop)
  return () => ({ kind: 'token', key: loadSigningKey(apns), cache })
}

/** Makes the credential cache. It is in the store of the queue, because all workers share that store. */
async function makeCredentialCache(
  { config, logger }: Plan,
  queueSql: Sql | undefined,
  onStop: OnStop,
): Promise<CredentialCache> {
  if (queueSql) return new PostgresCredentialCache({ runTransaction: (work) => runTransaction(queueSql, work) })
  const options = chooseRedis(config)
  const redis = await connectRedis(options, logger)
  onStop.close('credential cache', async () => redis.disconnect())
  return new RedisCredentialCache({ redis, prefix: options.prefix })
}

function makeHms({ config, logger, makeBreaker }: ProviderParts): Provider {
  const {
    app_id: appId = '',
    app_secret: appSecret = '',
    push_endpoint,
    auth_endpoint,
    ca_file,
  } = config.push_notifications.hms
  return new HmsProvider({
    appId,
    appSecret,
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
