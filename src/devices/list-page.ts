// Limits, cursors and totals of the three lists.
import * as v from 'valibot'
import type { Fragment, Queryable } from '../database/pool.ts'
import { ApiError } from '../protocol/errors.ts'

/** The page of a list that a request asks for. */
export interface Page {
  /** The limit of the request; 0 for the default. */
  limit: number
  /** `nextCursor` of the page before; empty for the first page. */
  cursor: string
  includeTotalCount: boolean
}

/** A page of a list. */
export interface ListPage<Item> {
  items: Item[]
  /** Undefined for the last page. */
  nextCursor: string | undefined
  /** The number of items in all pages; undefined unless the query includes it. */
  totalCount: number | undefined
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

/** The page of a list without items. */
export const EMPTY_PAGE: ListPage<never> = { items: [], nextCursor: undefined, totalCount: undefined }

/** The largest number of items in a page. @throws ApiError badRequest */
export function readLimit(limit: number): number {
  if (limit < 0) throw new ApiError('badRequest', 'limit: must not be negative')
  return limit === 0 ? DEFAULT_LIMIT : Math.min(limit, MAX_LIMIT)
}

/** Makes a page of at most `limit` items. @param items one more than `limit`, if there are more */
export function makePage<Item extends { id: string }>(items: Item[], limit: number, totalCount: number | undefined) {
  const page = items.slice(0, limit)
  return { items: page, nextCursor: items.length > limit ? page.at(-1)?.id : undefined, totalCount }
}

const Count = v.object({ count: v.pipe(v.string(), v.transform(Number)) })

/** The number of rows of `from …`; undefined unless `isWanted`, because a count reads all rows. */
export async function countRows(sql: Queryable, from: Fragment, isWanted: boolean): Promise<number | undefined> {
  if (!isWanted) return undefined
  const [row] = await sql`select count(*) as count ${from}`
  return v.parse(Count, row).count
}
