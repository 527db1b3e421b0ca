// Limits, cursors and totals of device_list, device_topic_list and user_topic_list.
import * as v from 'valibot'
import type { Fragment, Queryable } from '../database/pool.ts'
import { ApiError } from '../protocol/errors.ts'

/** The page of a list that a request asks for. */
export interface Page {
  /** The most items in the page, as requested; 0 for the default. */
  limit: number
  /** `nextCursor` of the previous page; empty for the first page. */
  cursor: string
  includeTotalCount: boolean
}

/** A page of a list. */
export interface ListPage<Item> {
  items: Item[]
  /** The cursor for the next page; undefined if this page is the last one. */
  nextCursor: string | undefined
  /** The number of items in all pages; undefined unless the query includes it. */
  totalCount: number | undefined
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

/** The page of an empty list. */
export const EMPTY_PAGE: ListPage<never> = { items: [], nextCursor: undefined, totalCount: undefined }

/** The number of items in a page for the `limit` of a request. @throws ApiError badRequest if it is negative */
export function readLimit(limit: number): number {
  if (limit < 0) throw new ApiError('badRequest', 'limit: must not be negative')
  return limit === 0 ? DEFAULT_LIMIT : Math.min(limit, MAX_LIMIT)
}

/** Makes a page of at most `limit` items. @param items the items of the page, and one more if there is a next page */
export function makePage<Item extends { id: string }>(items: Item[], limit: number, totalCount: number | undefined) {
  const page = items.slice(0, limit)
  return { items: page, nextCursor: items.length > limit ? page.at(-1)?.id : undefined, totalCount }
}

const Count = v.object({ count: v.pipe(v.string(), v.transform(Number)) })

/** The number of rows that `from …` selects; undefined unless `isWanted`, because a count reads all rows. */
export async function countRows(sql: Queryable, from: Fragment, isWanted: boolean): Promise<number | undefined> {
  if (!isWanted) return undefined
  const [row] = await sql`select count(*) as count ${from}`
  return v.parse(Count, row).count
}
