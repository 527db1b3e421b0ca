import { UserError } from '../config/user-error.ts'

/** The command line is wrong, or the request or file that it passes. The message says what is wrong or expected. */
export class CommandLineError extends UserError {
  override readonly name = 'CommandLineError'
  override readonly exitCode = 2
}
