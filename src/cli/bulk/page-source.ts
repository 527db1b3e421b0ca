// Imports from a compatible server: the source are the pages of its `device_list` or `user_topic_list`.
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { parseJsonText } from '../../json/json-text.ts'
import { decodeMessage } from '../../protocol/decode-message.ts'
import { int64, message, rawJson, string, uint32 } from '../../protocol/wire-types.ts'
import { CommandLineError } from '../command-line-error.ts'
import type { ImportSource, SourceBatch } from './import-source.ts'
import type { Position } from './resume-state.ts'

export interface ListApi {
  /** The URL of the other server's API: `https://example.com/api`. */
  url: string
  apiKey: string
  method: 'device_list' | 'user_topic_list'
  /** The fields of a list request in addition to limit and cursor. */
  request: Record<string, unknown>
}

/** The other server does not answer, or its answer is not a list. The message contains its error or HTTP status. */
export class ListApiError extends Error {
  override readonly name = 'ListApiError'
}

const PAGE_ITEMS = 1000
const REQUEST_TIMEOUT_MS = 30_000
/**
 * How often a request is tried. With growing pauses the attempts take eight seconds, enough for a restart of the
 * server.
 */
const ATTEMPTS = 6
const FIRST_PAUSE_MS = 250
const INTERNAL_ERROR = 100

const Reply = message({
  error: v.optional(message({ code: uint32, message: string })),
  result: v.optional(message({ items: rawJson, next_cursor: string, total_count: int64 })),
})
type Reply = v.InferOutput<typeof Reply>

/** Opens the list of another server as a source. The cursor of that list is the position. */
export function openPageSource(api: ListApi): ImportSource {
  let total: number | undefined
  return {
    name: `${api.method} of ${api.url}`,
    start: { at: '', line: 0 },
    measure: ({ line }) => (total === undefined ? undefined : { done: line, total }),
    async *read(start: Position): AsyncGenerator<SourceBatch> {
      let { at: cursor, line } = start
      do {
        const page = await fetchPage(api, String(cursor), total === undefined)
        total ??= page?.total_count || undefined
        const items = [...(page?.items?.items() ?? [])].map((json) => ({ line: ++line, json }))
        cursor = page?.next_cursor ?? ''
        yield { items, next: { at: cursor, line } }
      } while (cursor !== '')
    },
  }
}

async function fetchPage(api: ListApi, cursor: string, withTotal: boolean): Promise<Reply['result']> {
  const request = { ...api.request, cursor, limit: PAGE_ITEMS, include_total_count: withTotal }
  for (let attempt = 1; ; attempt++) {
    const answer = await post(api, JSON.stringify(request))
    if (answer.kind === 'page') return answer.page
    if (answer.kind === 'refused' || attempt === ATTEMPTS) throw new ListApiError(`${api.url}: ${answer.why}`)
    await delay(FIRST_PAUSE_MS * 2 ** (attempt - 1))
  }
}

type Answer = { kind: 'page'; page: Reply['result'] } | { kind: 'failed' | 'refused'; why: string }

async function post({ url, apiKey, method }: ListApi, body: string): Promise<Answer> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': apiKey },
      body,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    if (!response.ok)
      return { kind: isTransient(response.status) ? 'failed' : 'refused', why: `HTTP ${response.status}` }
    return readReply(bytes)
  } catch (error) {
    // The message of an error of fetch() is always "fetch failed"; the reason is in its cause.
    const cause = error instanceof Error ? (error.cause ?? error) : error
    return { kind: 'failed', why: cause instanceof Error ? cause.message : 'no answer' }
  }
}

function isTransient(status: number): boolean {
  return status >= 500 || status === 429
}

function readReply(bytes: Buffer): Answer {
  const { error, result } = decodeMessage(Reply, parseJsonText(bytes))
  if (!error) return { kind: 'page', page: result }
  return { kind: error.code === INTERNAL_ERROR ? 'failed' : 'refused', why: `error ${error.code}, ${error.message}` }
}

/** Checks that the value of `--from` is an http(s) URL. @throws CommandLineError */
export function checkApiUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new CommandLineError('--from: expected the URL of an API, such as https://example.com/api')
  }
  return url
}
