import { destination, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

/** One JSON object a line on standard output, or in `file`. Tokens, keys and payloads are never passed to it. */
export function makeLogger(options: { level: string; file: string }): Logger {
  const level = options.level === 'none' ? 'silent' : options.level
  const target = destination({ dest: options.file || 1, sync: false })
  return pino({ level, base: null, formatters: { level: (label) => ({ level: label }) } }, target)
}
