import type { JSX } from 'hono/jsx/jsx-runtime'
import type { LivePart } from './live-polls.ts'

/** Renders the content of the element with this id. */
export async function renderPart(id: string, content: JSX.Element): Promise<LivePart> {
  return { id, html: String(await content) }
}
