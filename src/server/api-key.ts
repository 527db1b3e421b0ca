import type { IncomingMessage } from 'node:http'
import { makeSecretCheck } from '../protocol/secret-check.ts'

/**
 * Makes a check for the API key of a request. The key is read from `X-API-Key` or, without it, `Authorization: apikey
 * KEY`. If that is not the key, the first `api_key` of the query is tried. Order and edge cases are those of a node. An
 * empty `key` rejects all requests.
 */
export function makeKeyCheck(key: string): (incoming: IncomingMessage) => boolean {
  if (key === '') return () => false
  const isKey = makeSecretCheck(key)
  return (incoming) => {
    const fromHeaders = headerKey(incoming)
    if (fromHeaders !== undefined && isKey(Buffer.from(fromHeaders, 'latin1'))) return true
    const fromQuery = queryKey(incoming.url ?? '')
    return fromQuery !== undefined && isKey(fromQuery)
  }
}

function headerKey(incoming: IncomingMessage): string | undefined {
  const { headers } = incoming
  const joined = headers['x-api-key']
  // The first of several. Node joins them with commas; it makes `headersDistinct` of all headers at the first use.
  const apiKey = joined?.includes(',') ? incoming.headersDistinct['x-api-key']?.[0] : joined
  if (typeof apiKey === 'string' && apiKey !== '') return apiKey
  const [scheme, key, ...rest] = headers.authorization?.split(/\s+/).filter(Boolean) ?? []
  return scheme?.toLowerCase() === 'apikey' && rest.length === 0 ? key : undefined
}

function queryKey(url: string): string | undefined {
  const query = url.indexOf('?')
  return query === -1 ? undefined : (new URLSearchParams(url.slice(query)).get('api_key') ?? undefined)
}
