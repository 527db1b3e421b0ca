import type * as v from 'valibot'
import type { JsonText } from '../json/json-text.ts'
import { decodeMessage } from '../protocol/wire-types.ts'

/** A decoded push command, ready to run: resolves to the `result` object. Rejects with ApiError, or unexpectedly. */
export type Call = () => Promise<object>

/** A method that the upstream node answers. */
export interface UpstreamMethod {
  kind: 'upstream'
  name: string
  /** Its number in the legacy `/api`. */
  number: number
  /** @throws DecodeError when the node would not decode these params either */
  check(params: JsonText): void
}

/** A method of ours. */
export interface PushMethod {
  kind: 'push'
  name: string
  number: number
  /** Decodes without running anything, so that a batch runs whole or not at all. @throws DecodeError */
  prepare(params: Buffer | JsonText): Call
}

export type Method = UpstreamMethod | PushMethod

export function upstreamMethod(
  name: string,
  number: number,
  request: v.GenericSchema<JsonText, unknown>,
): UpstreamMethod {
  return { kind: 'upstream', name, number, check: (params) => void decodeMessage(request, params) }
}

export function pushMethod<Request>(
  name: string,
  number: number,
  request: v.GenericSchema<JsonText, Request>,
  handle: (request: Request) => Promise<object>,
): PushMethod {
  return {
    kind: 'push',
    name,
    number,
    prepare(params) {
      const decoded = decodeMessage(request, params)
      return () => handle(decoded)
    },
  }
}
