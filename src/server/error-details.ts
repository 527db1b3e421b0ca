// The reason of an error, for the developer of a client. Codes and messages of errors are Centrifugo's, so that the
// reason is beside them: in a response header, and with `http_api.error_details` in the error object too, where a batch
// has one for each command.
import type { ApiErrorName } from '../protocol/errors.ts'
import { encodeApiError } from '../protocol/errors.ts'

/** An error reply. */
export interface ErrorReply {
  error: ApiErrorName
  /** The reason: the path of the field and its problem. Undefined for errors of the server itself. */
  details?: string | undefined
}

/** The header with the reason of an error answer. */
const HEADER = 'x-centripush-error-details'
/** The longest reason in a header. Proxies accept headers of a few KB. */
const MAX_HEADER_LENGTH = 1000

/** The header with the reason. It has printable ASCII only: `?` replaces other characters. */
export function detailsHeader(details: string | undefined): Record<string, string> {
  if (details === undefined) return {}
  return { [HEADER]: details.slice(0, MAX_HEADER_LENGTH).replace(/[^\x20-\x7e]/g, '?') }
}

/** The error object of a reply. @param hasDetails whether it contains the reason */
export function encodeErrorReply({ error, details }: ErrorReply, hasDetails: boolean): string {
  return encodeApiError(error, hasDetails ? details : undefined)
}
