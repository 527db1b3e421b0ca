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

function headerKey({ headers, headersDistinct }: IncomingMessage): string | undefined {
  // The first of several. In `headers`, Node joins them.
  const apiKey = headersDistinct['x-api-key']?.[0]
  if (apiKey) return apiKey
  const [scheme, key, ...rest] = headers.authorization?.split(/\s+/).filter(Boolean) ?? []
  return scheme?.toLowerCase() === 'apikey' && rest.length === 0 ? key : undefined
}

function queryKey(url: string): string | undefined {
  const query = url.indexOf('?')
  return query === -1 ? undefined : (new URLSearchParams(url.slice(query)).get('api_key') ?? undefined)
}
