import type { Config } from '../config/schema.ts'
import type { ApiDeps } from '../server/api-deps.ts'
import { BodyBudget } from '../server/body-budget.ts'

/** Reads the options of the API that the server and its process for large requests share. */
export function configureApi({
  http_api: options,
}: Config): Pick<ApiDeps, 'transportErrors' | 'errorDetails' | 'maxRequestBytes' | 'bodies'> {
  return {
    transportErrors: options.error_mode === 'transport',
    errorDetails: options.error_details,
    maxRequestBytes: options.max_request_body_size,
    bodies: new BodyBudget(options.max_request_bodies_size),
  }
}
