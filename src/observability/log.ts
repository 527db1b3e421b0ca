import { createRequire } from 'node:module'
import { isatty } from 'node:tty'
import { type DestinationStream, destination, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

/** The options of a logger. */
export interface LogOptions {
  level: string
  /** The file to append to; empty for a standard stream. */
  file: string
  /** The form of a line: a JSON object, or readable text. `auto`: text on a terminal, otherwise JSON. */
  format?: 'auto' | 'json' | 'pretty'
}

/**
 * Makes a logger that writes lines to standard output or to a file. Callers never pass tokens, keys or payloads.
 * @param descriptor 2 for standard error, for commands that write data to standard output
 */
export function makeLogger(options: LogOptions, descriptor: 1 | 2 = 1): Logger {
  const { file, format = 'auto' } = options
  const level = options.level === 'none' ? 'silent' : options.level
  const isTerminal = file === '' && isatty(descriptor)
  const isPretty = format === 'pretty' || (format === 'auto' && isTerminal)
  const target = isPretty
    ? makePrettyTarget(file || descriptor, isTerminal)
    : destination({ dest: file || descriptor, sync: false })
  const formatters = { level: (label: string) => ({ level: label }) }
  return pino({ level, base: null, formatters, serializers: { err: describeError } }, target)
}

function makePrettyTarget(destination: string | 1 | 2, colorize: boolean): DestinationStream {
  // Loaded only where somebody reads: a server in production does without it.
  const { build }: typeof import('pino-pretty') = createRequire(import.meta.url)('pino-pretty')
  return build({ destination, colorize, sync: true, singleLine: true, translateTime: 'SYS:HH:MM:ss.l' })
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
