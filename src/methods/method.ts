import type * as v from 'valibot'
import type { JsonText } from '../json/json-text.ts'
import { decodeMessage } from '../protocol/decode-message.ts'

/**
 * A decoded push command, ready to run. Resolves to its `result` object. Rejects with an ApiError, or with any other
 * error, which the API answers with error 100.
 */
export type Call = () => Promise<object>

/** A method that the upstream node answers. */
export interface UpstreamMethod {
  kind: 'upstream'
  name: string
  /** The number that names the method in the legacy `/api`. */
  number: number
  /** Checks the params before a batch runs. @throws DecodeError if the node could not decode them either */
  check(params: JsonText): void
}

/** A method that centripush answers. */
export interface PushMethod {
  kind: 'push'
  name: string
  /** The number that names the method in the legacy `/api`. */
  number: number
  /**
   * Decodes the params without running the method: all commands of a batch are decoded before the first one runs.
   * @throws DecodeError
   */
  prepare(params: Buffer | JsonText): Call
}

/** A method of the server API. */
export type Method = UpstreamMethod | PushMethod

/** Makes a method that the upstream node answers. @param request the schema of the method's params */
export function upstreamMethod(
  name: string,
  number: number,
  request: v.GenericSchema<JsonText, unknown>,
): UpstreamMethod {
  return { kind: 'upstream', name, number, check: (params) => void decodeMessage(request, params) }
}

/** Makes a push method. @param request the schema of the method's params @param handle runs the method */
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
