import type { Counter } from 'prom-client'
import { API_ERRORS, type ApiErrorName } from '../protocol/errors.ts'

/** The way of a client's call: through the RPC proxy of the node, or over HTTP. */
export type CallTransport = 'rpc' | 'http'

/** Counts an answered call. @param label of its method @param error undefined: it succeeded */
export type CountCall = (transport: CallTransport, label: string, error: ApiErrorName | undefined) => void

/** Counts in a metric. */
export function makeCallCounts(counter: Counter): CountCall {
  return (transport, method, error) => {
    const code = error === undefined ? '0' : String(API_ERRORS[error].code)
    counter.inc({ transport, method, code })
  }
}
