import { formatWithOptions } from 'node:util'
import type { Logger } from './log.ts'

/** The longest text of a library that is logged. */
const MAX_LENGTH = 500

/**
 * Routes everything that is printed past the logger to it: Node's warnings and the console of libraries. Standard
 * output then has only lines of the log. For processes of the server.
 */
export function captureOutput(logger: Logger): void {
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message, stack }) => {
    logger.warn(
      { warning: name, text: message, ...(name === 'MaxListenersExceededWarning' && { stack }) },
      'node: warning',
    )
  })
  const write = (level: 'info' | 'warn') => {
    return (...values: unknown[]) => {
      const text = formatWithOptions({ depth: 1, maxStringLength: MAX_LENGTH }, ...values).slice(0, MAX_LENGTH)
      logger[level]({ text }, 'library: message')
    }
  }
  Object.assign(console, { log: write('info'), info: write('info'), debug: write('info') })
  Object.assign(console, { warn: write('warn'), error: write('warn'), trace: write('warn') })
}
