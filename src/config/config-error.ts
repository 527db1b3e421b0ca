/** The configuration is wrong. The message is for the operator and names every problem with its path. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
