// A stand-in for the services from which credentials without a key get access tokens: the metadata server of Google
// Cloud, its Security Token Service, the impersonation of service accounts, and the token endpoint of users.

import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A running stand-in. */
export interface GoogleStandIn {
  /** `http://127.0.0.1:PORT` */
  origin: string
  /** `127.0.0.1:PORT`, for GCE_METADATA_HOST. */
  host: string
  /** The paths of the requests for tokens, and their bodies. */
  readonly requests: { path: string; body: string }[]
  /** Answers requests for tokens with this status from now on; undefined: with tokens. */
  refuse(status: number | undefined): void
  stop(): Promise<void>
}

/**
 * Starts the stand-in.
 * @param issue makes an access token that FCM accepts, and its life in seconds
 */
export async function startGoogleStandIn(
  issue: () => Promise<{ accessToken: string; lifeSeconds: number }>,
): Promise<GoogleStandIn> {
  const requests: GoogleStandIn['requests'] = []
  let refusal: number | undefined
  const answer = async (
    incoming: IncomingMessage,
    path: string,
  ): Promise<{ status: number; json: object | string }> => {
    if (path === '/computeMetadata/v1/instance') return { status: 200, json: {} }
    requests.push({ path, body: await text(incoming) })
    if (path === '/subject-token') return { status: 200, json: 'subject' }
    if (refusal !== undefined) return { status: refusal, json: { error: 'invalid_grant', error_description: 'no' } }
    const { accessToken, lifeSeconds } = await issue()
    if (path.endsWith(':generateAccessToken')) {
      return { status: 200, json: { accessToken, expireTime: new Date(Date.now() + lifeSeconds * 1000).toISOString() } }
    }
    const issued_token_type = 'urn:ietf:params:oauth:token-type:access_token'
    return {
      status: 200,
      json: { access_token: accessToken, expires_in: lifeSeconds, token_type: 'Bearer', issued_token_type },
    }
  }
  const server = createServer(async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? '/', 'http://stand-in')
    const { status, json } = await answer(incoming, pathname)
    const body = typeof json === 'string' ? json : JSON.stringify(json)
    outgoing.writeHead(status, { 'content-type': 'application/json', 'metadata-flavor': 'Google' }).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on TCP has this type of address.
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    requests,
    refuse: (status) => {
      refusal = status
    },
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
