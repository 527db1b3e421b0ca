import type { Logger } from './log.ts'

/**
 * Makes a logger for the parts that work on the stores. While a store is out, each of their attempts fails, so these
 * lines are at level `debug`; the outage itself has lines of its own.
 * @param isOutage whether an outage of a store explains the error; it also reports that outage
 */
export function makeStoreLogger(logger: Logger, isOutage: (error: unknown) => boolean): Logger {
  const storeLogger = logger.child({})
  for (const level of ['error', 'warn'] as const) {
    const write = storeLogger[level].bind(storeLogger)
    storeLogger[level] = (fields: unknown, message?: unknown) => {
      const chosen = isOutage(readError(fields)) ? storeLogger.debug.bind(storeLogger) : write
      chosen(fields, typeof message === 'string' ? message : undefined)
    }
  }
  return storeLogger
}

function readError(fields: unknown): unknown {
  return typeof fields === 'object' && fields !== null && 'err' in fields ? fields.err : undefined
}
