import { UserError } from '../config/user-error.ts'
import { ApiError } from '../protocol/errors.ts'
import { DecodeError } from '../protocol/wire-types.ts'
import { CommandLineError } from './command-line-error.ts'

/**
 * Rethrows an error that the API's own code raised for a command.
 * @throws CommandLineError for a wrong request, UserError for a store that failed, any other error as it is
 */
export function explainApiError(error: unknown): never {
  const isInternal = error instanceof ApiError && error.kind === 'internal'
  if (isInternal) throw new UserError(error.message, { cause: error })
  if (error instanceof ApiError || error instanceof DecodeError) {
    throw new CommandLineError(error.message, { cause: error })
  }
  throw error
}
