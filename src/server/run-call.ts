import type { Call } from '../methods/method.ts'
import type { Logger } from '../observability/log.ts'
import { ApiError } from '../protocol/errors.ts'
import { encodeGoJson } from '../protocol/go-json.ts'
import type { ErrorReply } from './error-details.ts'
import { OverloadError, type OverloadLimits } from './overload-limit.ts'

/** The reply to a push command: its result as JSON, or an error. */
export type CallReply = { result: string } | FailedReply
/** An error, and the seconds after which a retry can succeed, if it can. */
export type FailedReply = ErrorReply & { retryAfterSeconds?: number | undefined }

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
    // OverloadLimits reports it.
    if (error instanceof OverloadError) return { error: kind, retryAfterSeconds }
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

/** Runs a push command of a batch, unless the process has too many calls of its method. Never rejects. */
export function runLimited(overload: OverloadLimits | undefined, call: Call, method: string, logger: Logger) {
  if (!overload) return runCall(call, method, logger)
  const limited = async () => {
    overload.check(method)
    return overload.run(method, call)
  }
  return runCall(limited, method, logger)
}
