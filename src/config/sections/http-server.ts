import * as v from 'valibot'
import { described, likeSection, section } from '../option.ts'
import { flag, list, listenAddress, networkBlock, wholeNumber } from '../values.ts'
import { serverTls } from './tls.ts'

const port = wholeNumber(0, 65_535)

/** The section of the server's addresses, ports and TLS. */
export const httpServer = section({
  address: described(
    v.optional(listenAddress),
    'The address to listen on. Absent: all interfaces, but 127.0.0.1 when centripush made the API key itself.',
  ),
  port: described(v.optional(port, 8000), 'The external port. 0 chooses a free one.'),
  internal_address: described(
    v.optional(listenAddress, ''),
    'The address of the internal port. Empty: that of `address`.',
  ),
  internal_port: described(
    v.optional(port),
    'A second port, which serves API, metrics and health in place of the external one. Absent: one port for all.',
  ),
  processes: described(
    v.optional(wholeNumber(0, 256), 1),
    'API processes, which share the ports. 0: one for each CPU core. With 1 the server process answers requests ' +
      'itself. More are for machines on which one core is not enough for the API; metrics, health, the web UI and ' +
      'calls of clients stay in the server process. Each takes about 100 MB, and its share of `max_connections`.',
  ),
  trusted_proxies: described(
    v.optional(list(networkBlock, 'CIDR blocks'), []),
    'The addresses of the load balancers and proxies in front of centripush. Their `X-Forwarded-For` and `X-Real-IP` ' +
      'are believed and passed on to the node, so they must set both or remove them. Those of all others are ' +
      'replaced by the address of the connection.',
  ),
  tls: described(v.optional(serverTls, {}), 'TLS of both ports.'),
  tls_autocert: described(
    v.optional(
      section({ enabled: described(v.optional(flag, false), 'Must be false: true is refused at the start.') }),
      {},
    ),
    'Certificates by ACME are not supported. Use `http_server.tls` with the certificate of an ACME client.',
  ),
  tls_external: described(v.optional(flag, false), 'Uses `tls` on the external port only.'),
  internal_tls: described(
    v.optional(likeSection(serverTls, 'http_server.tls'), {}),
    'TLS of the internal port. Not enabled: `tls` is valid for both ports.',
  ),
})
