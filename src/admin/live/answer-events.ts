import { streamSSE } from 'hono/streaming'
import { pause } from '../../timing/pause.ts'
import type { AdminContext } from '../admin-environment.ts'
import type { LivePart, LivePolls } from './live-polls.ts'

/** A browser reconnects after this time. */
const RETRY_MS = 3000
/** The stream ends after this time. The browser reconnects, and its session is checked again. */
const LONGEST_MS = 10 * 60_000
/** The most open pages. Each holds a connection. */
const MAX_PAGES = 200

/**
 * Answers with events (text/event-stream, https://html.spec.whatwg.org/multipage/server-sent-events.html) that keep
 * parts of a page up to date. An event has the parts that have changed.
 */
export function answerEvents(
  context: AdminContext,
  live: LivePolls,
  name: string,
  load: () => Promise<readonly LivePart[]>,
): Response {
  if (live.pages >= MAX_PAGES) return context.text('Too many live pages are open.\n', 503)
  // Nginx would collect the events.
  context.header('x-accel-buffering', 'no')
  // Nobody would read the events, and nothing would tell their end.
  if (context.req.method === 'HEAD') return context.body(null, 200, { 'content-type': 'text/event-stream' })
  const hasEnded = context.get('hasEnded')
  return streamSSE(context, async (stream) => {
    const ended = AbortSignal.any([live.signal, AbortSignal.timeout(LONGEST_MS)])
    const shown = new Map<string, string>()
    let isWriting = false
    const write = async (changed: readonly LivePart[]) => {
      isWriting = true
      await stream.writeSSE({ data: JSON.stringify(changed) })
      isWriting = false
    }
    const unwatch = live.watch(name, load, (parts) => {
      const changed = parts.filter(({ id, html }) => shown.get(id) !== html)
      // A reader that stalls must not fill the memory. It gets the newest parts later.
      if (isWriting || changed.length === 0) return
      for (const { id, html } of changed) shown.set(id, html)
      void write(changed)
    })
    try {
      await stream.writeSSE({ data: '[]', retry: RETRY_MS })
      const gone = new AbortController()
      stream.onAbort(() => gone.abort())
      const isOver = AbortSignal.any([ended, gone.signal])
      while (!isOver.aborted) {
        await pause(live.heartbeatMs, isOver)
        if (isOver.aborted || (await hasEnded())) break
        await stream.write(':\n\n')
      }
    } finally {
      unwatch()
    }
  })
}
