import { Http2Error } from '../http2/http2-error.ts'
import { untilAborted as rejectOnAbort } from '../timing/until-aborted.ts'

/** Stops waiting when the signal aborts; the work itself goes on for its other callers. @throws Http2Error */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return rejectOnAbort(work, signal, () => new Http2Error('aborted', 'aborted'))
}
