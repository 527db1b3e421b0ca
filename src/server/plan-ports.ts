import type { Config } from '../config/schema.ts'
import type { AppParts } from './app.ts'
import type { Listening } from './check-ports.ts'
import type { PortOptions } from './start-server.ts'
import type { TlsSettings } from './tls.ts'

type HttpServer = Config['http_server']

/**
 * Distributes the routes to one port or, with an internal port, to two. API, metrics, health, admin and the RPC proxy
 * endpoint are then internal, as with Centrifugo.
 * @param isExternal whether the API and the admin web UI stay on the external port
 * @param isKeyMade the API key was generated, so the default address is the loopback interface
 */
export function planPorts(
  server: HttpServer,
  isExternal: { api: boolean; admin: boolean },
  isKeyMade: boolean,
  parts: AppParts,
): PortOptions[] {
  const tls = readTls('http_server.tls', server.tls)
  const address = server.address ?? (isKeyMade ? '127.0.0.1' : '')
  if (server.internal_port === undefined) return [{ address, port: server.port, tls, app: parts }]
  const external = {
    api: isExternal.api ? parts.api : undefined,
    admin: isExternal.admin ? parts.admin : undefined,
    connections: parts.connections,
    clientPush: parts.clientPush,
    metrics: undefined,
    health: undefined,
    nodeAdmin: undefined,
  }
  const internal = {
    ...parts,
    api: isExternal.api ? undefined : parts.api,
    admin: isExternal.admin ? undefined : parts.admin,
    connections: undefined,
    clientPush: undefined,
  }
  return [
    { address, port: server.port, tls, app: external },
    {
      address: server.internal_address || address,
      port: server.internal_port,
      tls: readTls('http_server.internal_tls', server.internal_tls) ?? (server.tls_external ? undefined : tls),
      app: internal,
    },
  ]
}

/** The addresses of the ports, from the configuration alone. */
export function listAddresses(server: HttpServer, isKeyMade: boolean): Listening[] {
  const address = server.address ?? (isKeyMade ? '127.0.0.1' : '')
  const external = { address, port: server.port }
  if (server.internal_port === undefined) return [external]
  return [external, { address: server.internal_address || address, port: server.internal_port }]
}

/** The TLS settings of a section; undefined if it is not enabled. */
export function readTls(section: string, tls: HttpServer['tls']): TlsSettings | undefined {
  const { cert_pem: certPem, key_pem: keyPem, client_ca_pem: clientCaPem } = tls
  return tls.enabled ? { section, certPem, keyPem, clientCaPem } : undefined
}
