import type { Counter } from 'prom-client'
import { API_ERRORS, type ApiErrorName } from '../protocol/errors.ts'

/** The way of a client's call: through the RPC proxy of the node, or over HTTP. */
export type CallTransport = 'rpc' | 'http'

/** Counts an answered call. @param error undefined: it succeeded */
export type CountCall = (transport: CallTransport, method: string, error: ApiErrorName | undefined) => void

/**
 * Counts in a metric. Clients make up the names of methods, so all unknown ones share a label.
 * @param names the methods that exist
 */
export function makeCallCounts(counter: Counter, names: readonly string[]): CountCall {
  const known = new Set(names)
  return (transport, method, error) => {
    const code = error === undefined ? '0' : String(API_ERRORS[error].code)
    counter.inc({ transport, method: known.has(method) ? method : 'unknown', code })
  }
}
