/** All errors that a reply can contain. Codes and messages are Centrifugo's, because clients compare them. */
export const API_ERRORS = {
  internal: { code: 100, message: 'internal server error', httpStatus: 500 },
  unauthorized: { code: 101, message: 'unauthorized', httpStatus: 401 },
  permissionDenied: { code: 103, message: 'permission denied', httpStatus: 403 },
  notFound: { code: 104, message: 'not found', httpStatus: 404 },
  badRequest: { code: 107, message: 'bad request', httpStatus: 400 },
  notAvailable: { code: 108, message: 'not available', httpStatus: 400 },
  tokenExpired: { code: 109, message: 'token expired', httpStatus: 401 },
  tooManyRequests: { code: 111, message: 'too many requests', httpStatus: 429 },
  conflict: { code: 113, message: 'conflict', httpStatus: 409 },
} as const

/** The name of an error in API_ERRORS. */
export type ApiErrorName = keyof typeof API_ERRORS

/**
 * The error of a method; the server turns it into a reply. Its message, the reason, goes to the log, and except for
 * `internal` to the client too (src/server/error-details.ts). It names the field and never contains a token, a key or a
 * payload.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly kind: ApiErrorName
  /**
   * After how many seconds a retry can succeed, for example because the queue is full. Becomes the header
   * `Retry-After`.
   */
  readonly retryAfterSeconds: number | undefined

  constructor(kind: ApiErrorName, why: string, options: ErrorOptions & { retryAfterSeconds?: number } = {}) {
    super(why, options)
    this.kind = kind
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/**
 * The error object of a reply: `{"code":107,"message":"bad request"}`.
 * @param details the reason of the error, for clients that asked for it
 */
export function encodeApiError(kind: ApiErrorName, details?: string): string {
  const { code, message } = API_ERRORS[kind]
  return JSON.stringify(details === undefined ? { code, message } : { code, message, details })
}
