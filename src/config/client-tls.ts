// Centrifugo's TLS object as it is used by clients of other servers: Redis, ClickHouse.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { ConnectionOptions } from 'node:tls'
import * as v from 'valibot'
import { ConfigError } from './config-error.ts'
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
 * @throws ConfigError if a certificate or key can't be read
 */
export function readClientTls(path: string, tls: ClientTls): ConnectionOptions {
  const read = (name: 'server_ca_pem' | 'cert_pem' | 'key_pem') => readPem(`${path}.${name}`, tls[name])
  const files = {
    ...(tls.server_ca_pem !== '' && { ca: read('server_ca_pem') }),
    ...(tls.cert_pem !== '' && { cert: read('cert_pem') }),
    ...(tls.key_pem !== '' && { key: read('key_pem') }),
  }
  checkFiles(path, files)
  return {
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(tls.server_name !== '' && { servername: tls.server_name }),
    ...files,
  }
}

/** @throws ConfigError for a text that OpenSSL can not read: it would fail at each connection */
function checkFiles(path: string, files: { ca?: string; cert?: string; key?: string }): void {
  const reads: [name: string, text: string | undefined, read: (text: string) => unknown][] = [
    ['server_ca_pem', files.ca, (text) => new X509Certificate(text)],
    ['cert_pem', files.cert, (text) => new X509Certificate(text)],
    ['key_pem', files.key, (text) => createPrivateKey(text)],
  ]
  for (const [name, text, read] of reads) {
    try {
      if (text !== undefined) read(text)
    } catch {
      // The error of OpenSSL is not passed on: it could describe parts of the key.
      throw new ConfigError(`${path}.${name}: is not valid PEM of a ${name === 'key_pem' ? 'key' : 'certificate'}`)
    }
  }
}
