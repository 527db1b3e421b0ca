import type { Analytics } from '../analytics/analytics.ts'
import { ConfigError } from '../config/config-error.ts'
import { compileOriginPattern } from '../config/origin-pattern.ts'
import { readPem } from '../config/pem.ts'
import type { Config } from '../config/schema.ts'
import { makeEndpointCheck } from '../devices/web-push-endpoint.ts'
import type { Logger } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import { onceAMinute } from '../observability/once-a-minute.ts'
import { storeAck } from '../realtime/acks.ts'
import { AllowRules } from '../realtime/allow-rules.ts'
import { ClientCalls } from '../realtime/client-calls.ts'
import { ClientDevices } from '../realtime/client-devices.ts'
import { makeTokenCheck, type VerifyToken } from '../realtime/connection-token.ts'
import { UserLimit } from '../realtime/user-limit.ts'
import type { AppParts } from '../server/app.ts'
import { BodyBudget } from '../server/body-budget.ts'
import { makeCallCounts } from '../server/client-call-counts.ts'
import { makeNodeCheck } from '../server/rpc-proxy.ts'
import type { buildParts } from './build-parts.ts'

type Parts = Pick<Awaited<ReturnType<typeof buildParts>>, 'queue' | 'devices'>

/** The bytes of calls that each endpoint reads at a time: its clients can keep out only each other. */
const BODIES_BYTES = 32 * 1024 * 1024

/** Makes the methods that clients call. */
export function makeClientCalls(
  { client_push: options, push_notifications: push }: Config,
  { queue, devices }: Parts,
  analytics: Analytics | undefined,
): ClientCalls {
  const rules = new AllowRules({ topics: options.topics, metaKeys: options.meta_keys })
  const checkEndpoint = makeEndpointCheck(push.webpush)
  return new ClientCalls({
    ack: (ack) => storeAck(queue, ack),
    devices: devices && new ClientDevices({ store: devices, checkEndpoint, rules }),
    analytics,
    limit: new UserLimit({ perMinute: options.user_limit, now: () => performance.now() }),
  })
}

interface EndpointDeps {
  metrics: Metrics
  logger: Logger
}

/** Makes the endpoints for calls of clients that the configuration turns on. @throws ConfigError */
export function makeClientEndpoints(
  config: Config,
  calls: ClientCalls,
  { metrics, logger }: EndpointDeps,
): Pick<AppParts, 'rpcProxy' | 'clientPush'> {
  const { client, client_push: push, rpc_proxy: proxy } = config
  const common = { calls, count: makeCallCounts(metrics.clientCalls), logger }
  const isProxyOn = proxy.key !== undefined || proxy.client_certificates
  return {
    rpcProxy: isProxyOn
      ? {
          ...common,
          bodies: new BodyBudget(BODIES_BYTES),
          prefix: proxy.handler_prefix,
          isNode: makeNodeCheck(proxy.key),
          onStranger: onceAMinute(() => {
            logger.warn('rpc proxy: request refused, its X-Centripush-Proxy-Key is not rpc_proxy.key')
          }),
        }
      : undefined,
    clientPush: push.http_enabled
      ? {
          ...common,
          bodies: new BodyBudget(BODIES_BYTES),
          prefix: push.http_handler_prefix.replace(/\/+$/, ''),
          verify: makeVerify(client.token),
          onUnavailable: onceAMinute((error: unknown) => {
            logger.error({ err: error }, 'client push: client.token.jwks_public_endpoint not read')
          }),
          allowedOrigins: client.allowed_origins.flatMap((pattern) => compileOriginPattern(pattern) ?? []),
        }
      : undefined,
  }
}

function makeVerify(token: Config['client']['token']): VerifyToken {
  const previous = token.hmac_previous_secret_key
  const validUntil = token.hmac_previous_secret_key_valid_until
  const untilMs = validUntil === 0 ? Number.POSITIVE_INFINITY : validUntil * 1000
  const readKey = (option: 'rsa_public_key' | 'ecdsa_public_key') => {
    const value = token[option]
    return value === undefined ? undefined : readPem(`client.token.${option}`, value)
  }
  const options = {
    hmacSecret: token.hmac_secret_key,
    previousHmacSecret: previous === undefined ? undefined : { secret: previous, untilMs },
    rsaPublicKey: readKey('rsa_public_key'),
    ecdsaPublicKey: readKey('ecdsa_public_key'),
    jwksEndpoint: token.jwks_public_endpoint,
    audience: token.audience,
    issuer: token.issuer,
    userClaim: token.user_id_claim,
  }
  try {
    return makeTokenCheck(options)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    throw new ConfigError(`client.token: a public key can't be read (${why})`, { cause: error })
  }
}
