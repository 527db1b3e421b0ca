// Centrifugo's TLS object as it is used by clients of other servers: Redis, ClickHouse.
import type { ConnectionOptions } from 'node:tls'
import * as v from 'valibot'
import { checkCertificate } from './certificate.ts'
import { described, secret, section } from './option.ts'
import { readPem } from './pem.ts'
import { flag, pem, text } from './values.ts'

/** The options of TLS for connections that this server opens. */
export const clientTls = section({
  enabled: described(v.optional(flag, false), 'Connects with TLS; `rediss://` and `https://` addresses do it too.'),
  cert_pem: described(v.optional(pem, ''), 'A client certificate.'),
  key_pem: described(v.optional(secret(pem), ''), 'The private key of the client certificate.'),
  server_ca_pem: described(v.optional(pem, ''), 'A certificate authority to trust in place of those of the system.'),
  server_name: described(v.optional(text, ''), 'The name in the certificate of the server. Empty: its host.'),
  insecure_skip_verify: described(v.optional(flag, false), 'Accepts any certificate. For tests only.'),
})

type ClientTls = v.InferOutput<typeof clientTls>

/**
 * Reads the certificates of a TLS section and makes Node's options of it.
 * @param path the path of the section, for errors
 * @throws ConfigError if a certificate or key can't be read or used
 */
export function readClientTls(path: string, tls: ClientTls): ConnectionOptions {
  const options = { ca: `${path}.server_ca_pem`, cert: `${path}.cert_pem`, key: `${path}.key_pem` }
  const texts = {
    ...(tls.server_ca_pem !== '' && { ca: readPem(options.ca, tls.server_ca_pem) }),
    ...(tls.cert_pem !== '' && { cert: readPem(options.cert, tls.cert_pem) }),
    ...(tls.key_pem !== '' && { key: readPem(options.key, tls.key_pem) }),
  }
  checkCertificate(texts, options)
  return {
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(tls.server_name !== '' && { servername: tls.server_name }),
    ...texts,
  }
}
