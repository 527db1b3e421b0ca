import type { JSX } from 'hono/jsx/jsx-runtime'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { AdminContext } from '../admin-environment.ts'

/** Answers with a page. */
export async function answerPage(
  context: AdminContext,
  page: JSX.Element,
  status: ContentfulStatusCode = 200,
): Promise<Response> {
  return context.html(`<!DOCTYPE html>${await page}`, status)
}
