import type { Call } from '../methods/method.ts'
import type { Logger } from '../observability/log.ts'
import { ApiError } from '../protocol/errors.ts'
import { encodeGoJson } from '../protocol/go-json.ts'
import type { ErrorReply } from './error-details.ts'

/** The reply to a push command: its result as JSON, or an error. */
export type CallReply = { result: string } | (ErrorReply & { retryAfterSeconds?: number | undefined })

/** Runs a push command. Never rejects: errors are logged here and returned as a reply. */
export async function runCall(call: Call, method: string, logger: Logger): Promise<CallReply> {
  try {
    return { result: encodeGoJson(await call()) }
  } catch (error) {
    if (!(error instanceof ApiError)) {
      logger.error({ err: error, method }, 'api: unexpected error')
      return { error: 'internal' }
    }
    const { kind, message: why, retryAfterSeconds } = error
    if (kind === 'internal') {
      logger.error({ err: error, method }, 'api: internal error')
      return { error: kind, retryAfterSeconds }
    }
    // A flood of calls must not flood the log.
    if (kind === 'tooManyRequests') logger.debug({ method, why }, 'api: call over the limit')
    else logger.info({ method, error: kind, why }, 'api: command refused')
    return { error: kind, details: why, retryAfterSeconds }
  }
}
