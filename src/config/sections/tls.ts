import * as v from 'valibot'
import { described, secret, section } from '../option.ts'
import { flag, pem } from '../values.ts'

/** The options of TLS for one port of the server. */
export const serverTls = section({
  enabled: described(v.optional(flag, false), 'Serves TLS; `cert_pem` and `key_pem` are needed then.'),
  cert_pem: described(v.optional(pem, ''), 'The certificate of the server, with its chain.'),
  key_pem: described(v.optional(secret(pem), ''), 'The private key of the certificate.'),
  client_ca_pem: described(
    v.optional(pem, ''),
    'A certificate authority: clients must present a certificate that it has issued. Empty: no client certificates.',
  ),
})
