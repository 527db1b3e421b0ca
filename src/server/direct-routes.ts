// Plain calls: POST to the path of a method as it is written, with an ordinary Host and the key. Most requests are
// plain. The router and the objects of the web API would be a twentieth of their cost, so they are handled without
// them. All other requests, and those that are refused, take the routes of app.ts, which have the same handlers.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listApiRoutes, runHandler } from './api.ts'
import type { AppParts } from './app.ts'
import { handleRpcProxy } from './rpc-proxy.ts'

/** Hosts that need no further check. */
const PLAIN_HOST = /^[a-z0-9._-]+(?::[1-5]?\d{1,4})?$/

type HandleRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/** Makes a function that handles a plain call, and returns whether the request was one. */
export function makeDirectRoutes({ api, rpcProxy }: AppParts) {
  const routes = new Map<string, HandleRequest>()
  const hasKey = api?.deps.hasKey ?? (() => false)
  if (api) {
    for (const [path, handle] of listApiRoutes(api.deps, api.prefix)) {
      routes.set(path, (incoming, outgoing) => runHandler(api.deps, handle, { incoming, outgoing }))
    }
  }
  return (incoming: IncomingMessage, outgoing: ServerResponse): boolean => {
    const { method, url = '', headers } = incoming
    if (method !== 'POST' || !PLAIN_HOST.test(headers.host ?? '')) return false
    if (rpcProxy && url === rpcProxy.prefix) {
      handleRpcProxy(rpcProxy, incoming, outgoing)
      return true
    }
    const handle = routes.get(url)
    if (!handle || !hasKey(incoming)) return false
    handle(incoming, outgoing)
    return true
  }
}
