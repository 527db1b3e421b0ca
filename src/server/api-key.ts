import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/**
 * Whether a request carries the key: in `X-API-Key`, else as `Authorization: apikey KEY`, and if neither did, as the
 * first `api_key` of the query. The order and its corners are those of a node.
 */
export function makeKeyCheck(key: string): (incoming: IncomingMessage) => boolean {
  const expected = digest(key)
  // No key configured is no key that fits.
  if (key === '') return () => false
  // Digests have one length, so the comparison tells neither the key's content nor its length.
  const isKey = (candidate: string | Buffer) => timingSafeEqual(digest(candidate), expected)
  return (incoming) => {
    const fromHeaders = headerKey(incoming)
    if (fromHeaders !== undefined && isKey(Buffer.from(fromHeaders, 'latin1'))) return true
    const fromQuery = queryKey(incoming.url ?? '')
    return fromQuery !== undefined && isKey(fromQuery)
  }
}

function digest(key: string | Buffer): Buffer {
  return createHash('sha256').update(key).digest()
}

function headerKey({ headers, headersDistinct }: IncomingMessage): string | undefined {
  // Of several the first; Node joins them in `headers`.
  const apiKey = headersDistinct['x-api-key']?.[0]
  if (apiKey) return apiKey
  const [scheme, key, ...rest] = headers.authorization?.split(/\s+/).filter(Boolean) ?? []
  return scheme?.toLowerCase() === 'apikey' && rest.length === 0 ? key : undefined
}

function queryKey(url: string): string | undefined {
  const query = url.indexOf('?')
  return query === -1 ? undefined : (new URLSearchParams(url.slice(query)).get('api_key') ?? undefined)
}
