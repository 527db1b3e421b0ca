import { UserError } from './user-error.ts'

/**
 * The configuration is not valid. The message has a line for each problem: `config: PATH: problem`. A restart can't
 * succeed, so the exit code differs from that of other errors.
 */
export class ConfigError extends UserError {
  override readonly name = 'ConfigError'
  override readonly exitCode = 2
  /** The problems, one text for each. */
  readonly problems: readonly string[]

  /** @param problems texts; each begins with the path of the option, or with the file */
  constructor(problems: string | readonly string[], options?: ErrorOptions) {
    super(
      [problems]
        .flat()
        .map((problem) => `config: ${problem}`)
        .join('\n'),
      options,
    )
    this.problems = [problems].flat()
  }
}
