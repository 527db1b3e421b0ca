import { Http2Error } from '../http2/http2-error.ts'
import { untilAborted as rejectOnAbort } from '../timing/until-aborted.ts'

/**
 * Waits for `work` until the signal aborts. The work itself continues, because other callers wait for it.
 * @throws Http2Error when the signal aborts
 */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return rejectOnAbort(work, signal, () => new Http2Error('aborted', 'aborted'))
}
