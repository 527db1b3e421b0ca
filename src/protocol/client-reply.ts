// Replies to the calls of clients. They have the form of a reply of an RPC proxy (Centrifugo's proxy.proto,
// `RPCResponse`), and codes that client SDKs know.
import { API_ERRORS, type ApiErrorName } from './errors.ts'

/** Errors after which the same call may succeed later. */
const TEMPORARY: ReadonlySet<ApiErrorName> = new Set(['internal', 'tooManyRequests'])

/** Encodes an error: `{"error":{"code":111,"message":"too many requests","temporary":true}}`. */
export function encodeClientError(kind: ApiErrorName): string {
  const { code, message } = API_ERRORS[kind]
  return JSON.stringify({ error: { code, message, ...(TEMPORARY.has(kind) && { temporary: true }) } })
}
