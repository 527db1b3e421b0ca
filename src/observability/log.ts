import { destination, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

/**
 * Makes a logger that writes one JSON object on each line of standard output or of `file`. Callers never pass tokens,
 * keys or payloads.
 * @param descriptor 2 for standard error, for commands whose standard output is data
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

/**
 * The fields of an error that are logged. There are no others, because drivers attach parameters and rows to their
 * errors, and these contain tokens.
 */
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
