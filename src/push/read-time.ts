import { ApiError } from '../protocol/errors.ts'

/**
 * The latest time in Unix seconds: the end of the year 9999. Later times are most likely milliseconds, and the database
 * can't store them.
 */
const MAX_UNIX_SECONDS = 253_402_300_799

/**
 * Converts the Unix seconds of a field to ms; undefined for 0, which means that the field is absent.
 * @throws ApiError badRequest
 */
export function readTime(field: string, seconds: number): number | undefined {
  if (seconds < 0 || seconds > MAX_UNIX_SECONDS)
    throw new ApiError('badRequest', `${field}: is not a Unix time in seconds`)
  return seconds === 0 ? undefined : seconds * 1000
}
