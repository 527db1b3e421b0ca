// Checks of the options about clients that call push methods.
import type { Config } from './schema.ts'

/** The options of `client.token` with keys of tokens. One of them is needed. */
const KEY_OPTIONS = ['hmac_secret_key', 'rsa_public_key', 'ecdsa_public_key', 'jwks_public_endpoint'] as const
/** A check of tokens that is left out would accept more than the node does. */
const UNSUPPORTED = ['audience_regex', 'issuer_regex'] as const

/** Problems of `rpc_proxy` and `client_push`, one text for each. */
export function realtimeProblems(config: Config): string[] {
  return [...rpcProxyProblems(config), ...tokenProblems(config)]
}

/** The TLS options of the port that serves the RPC proxy endpoint: the internal one if there is one. */
function tlsOfProxy({ http_server: server }: Config): Config['http_server']['tls'] | undefined {
  if (server.internal_port === undefined) return server.tls
  if (server.internal_tls.enabled) return server.internal_tls
  return server.tls_external ? undefined : server.tls
}

function rpcProxyProblems(config: Config): string[] {
  const { key, client_certificates } = config.rpc_proxy
  const tls = tlsOfProxy(config)
  const requiresCertificates = tls?.enabled === true && tls.client_ca_pem !== ''
  return [
    ...(key !== undefined && key === config.http_api.key
      ? ['rpc_proxy.key: is also http_api.key; whoever reads one of them must not have the other']
      : []),
    ...(client_certificates && !requiresCertificates
      ? ['rpc_proxy.client_certificates: needs TLS with client_ca_pem on the port of the endpoint']
      : []),
  ]
}

function tokenProblems({ client_push, client: { token } }: Config): string[] {
  if (!client_push.http_enabled) return []
  const hasKey = KEY_OPTIONS.some((option) => token[option] !== undefined)
  const { jwks_public_endpoint: jwks } = token
  return [
    ...(hasKey
      ? []
      : [`client.token: needs one of ${KEY_OPTIONS.join(', ')} because client_push.http_enabled is true`]),
    ...UNSUPPORTED.filter((option) => token[option] !== '').map(
      (option) => `client.token.${option}: is not supported with client_push.http_enabled`,
    ),
    ...(jwks === undefined || isFixedUrl(jwks) ? [] : ['client.token.jwks_public_endpoint: expected a URL without {}']),
  ]
}

/** Whether a text is a URL without Centrifugo's placeholders for parts of the issuer and the audience. */
function isFixedUrl(text: string): boolean {
  return !/[{}]/.test(text) && /^https?:$/.test(URL.parse(text)?.protocol ?? '')
}
