import { UserError } from '../config/user-error.ts'
import { DecodeError } from '../protocol/decode-message.ts'
import { ApiError } from '../protocol/errors.ts'
import { CommandLineError } from './command-line-error.ts'

/**
 * Converts an error of the API's own code for a command, and throws it.
 * @throws CommandLineError for a wrong request, UserError for a failed store, any other error unchanged
 */
export function explainApiError(error: unknown): never {
  const isInternal = error instanceof ApiError && error.kind === 'internal'
  if (isInternal) throw new UserError(error.message, { cause: error })
  if (error instanceof ApiError || error instanceof DecodeError) {
    throw new CommandLineError(error.message, { cause: error })
  }
  throw error
}
