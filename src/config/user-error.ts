/**
 * An error that the user has to mend: a wrong configuration, a directory that another process uses, a database that
 * can't be reached. The command prints the message without a stack; the message contains a remedy.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError'
  /** The exit code of the command. */
  readonly exitCode: number = 1
}
