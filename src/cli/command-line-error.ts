import { UserError } from '../config/user-error.ts'

/**
 * The command line, or the request or file that it passes, is not valid. The message names the mistake, or the
 * expected value.
 */
export class CommandLineError extends UserError {
  override readonly name = 'CommandLineError'
  override readonly exitCode = 2
}
