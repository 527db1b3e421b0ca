import { destination, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

/**
 * One JSON object a line on standard output, or in `file`. Tokens, keys and payloads are never passed to it.
 * @param descriptor 2 for standard error, where standard output carries data
 */
export function makeLogger(options: { level: string; file: string }, descriptor: 1 | 2 = 1): Logger {
  const level = options.level === 'none' ? 'silent' : options.level
  const target = destination({ dest: options.file || descriptor, sync: false })
  const formatters = { level: (label: string) => ({ level: label }) }
  return pino({ level, base: null, formatters, serializers: { err: describeError } }, target)
}

interface ErrorDescription {
  type: string
  message: string
  stack: string | undefined
  code?: string
  cause?: ErrorDescription
}

/** Of an error only what is known to be harmless: drivers attach parameters and rows to theirs, which hold tokens. */
function describeError(error: unknown): ErrorDescription | undefined {
  if (!(error instanceof Error)) return undefined
  const cause = describeError(error.cause)
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...('code' in error && { code: String(error.code) }),
    ...(cause && { cause }),
  }
}
