// The explanation of a provider's outage, from the code of its last failure.
import type { Outage } from '../observability/outage-log.ts'

const CERTIFICATE = 'the certificate of the server is not valid'
const WAIT =
  'nothing, if the status page of the provider reports an outage; otherwise check the endpoint in the configuration'

/** By the error codes of Node (https://nodejs.org/api/errors.html, https://nodejs.org/api/tls.html) and of http2/. */
const OUTAGES = new Map<string, Outage>([
  [
    'ECONNREFUSED',
    { cause: 'the connection is refused', mend: 'check the endpoint in the configuration, and firewalls and proxies' },
  ],
  ...['ENOTFOUND', 'EAI_AGAIN'].map((code): [string, Outage] => [
    code,
    { cause: 'the name of the server is not resolved', mend: 'check the endpoint in the configuration, and DNS' },
  ]),
  ...['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT', 'connect_timeout'].map(
    (code): [string, Outage] => [
      code,
      { cause: 'no connection is possible', mend: 'check firewalls, routes and the endpoint in the configuration' },
    ],
  ),
  [
    'CERT_HAS_EXPIRED',
    {
      cause: 'the certificate of the server has expired',
      mend: 'check the clock of this machine; otherwise the owner of the server has to renew the certificate',
    },
  ],
  [
    'CERT_NOT_YET_VALID',
    { cause: 'the certificate of the server is not valid yet', mend: 'check the clock of this machine' },
  ],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    {
      cause: 'the certificate of the server has another name',
      mend: 'check the endpoint in the configuration, and for a proxy that intercepts connections',
    },
  ],
  ...[
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ].map((code): [string, Outage] => [
    code,
    { cause: `${CERTIFICATE}: its authority is not known`, mend: 'set ca_file of the provider to its authority' },
  ]),
  [
    'ERR_HTTP2_NOT_SELECTED',
    { cause: 'the server does not support HTTP/2', mend: 'check the endpoint in the configuration, and proxies' },
  ],
  ...['timeout', 'no_stream_free'].map((code): [string, Outage] => [
    code,
    { cause: 'the server does not answer', mend: WAIT },
  ]),
  ...['answer_invalid', 'protocol_error', 'HTTP_200', 'EPROTO', 'HPE_INVALID_CONSTANT'].map(
    (code): [string, Outage] => [code, { cause: 'the answers are not those of the provider', mend: WAIT }],
  ),
])

/** Explains an outage. @param code of the last failure: of Node or http2/, or `HTTP_<status>` */
export function explainOutage(code: string): Outage {
  const known = OUTAGES.get(code)
  if (known) return { ...known, cause: `${known.cause} (${code})` }
  if (code.startsWith('HTTP_')) return { cause: `the server reports an error (${code})`, mend: WAIT }
  if (/CERT|TLS|SSL/.test(code)) return { cause: `${CERTIFICATE} (${code})`, mend: 'check the endpoint and ca_file' }
  return { cause: `the connection fails (${code})`, mend: WAIT }
}
