// The way of requests from an API process to its parent, which answers all but the API. The parent listens on a port of
// the loopback interface for each port of the server, so that each port has its own routes.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { makeSecretCheck } from '../protocol/secret-check.ts'

/** The header with the key of the parent's server: other users of the machine can reach the port too. */
const HEADER = 'x-centripush-process-key'

/** Passes requests on to the parent. */
export interface ParentServer {
  pass(incoming: IncomingMessage, outgoing: ServerResponse): void
}

/** Makes the way to the parent. @param clients passes requests to its server @param key of that server */
export function makeParentServer(clients: ParentServer, key: string): ParentServer {
  return {
    pass(incoming, outgoing) {
      incoming.headers[HEADER] = key
      clients.pass(incoming, outgoing)
    },
  }
}

/** Makes a check whether a request comes from an API process. It removes the key from the request. */
export function makeChildCheck(key: string): (incoming: IncomingMessage) => boolean {
  const isKey = makeSecretCheck(key)
  return ({ headers }) => {
    const given = headers[HEADER]
    delete headers[HEADER]
    return typeof given === 'string' && isKey(given)
  }
}
