// What the three lists share: limits, cursors and totals.
import * as v from 'valibot'
import type { Fragment, Queryable } from '../database/pool.ts'
import { ApiError } from '../protocol/errors.ts'

export interface Page {
  /** As the request has it; 0 is not given. */
  limit: number
  /** As the request has it; empty for the first page. */
  cursor: string
  includeTotalCount: boolean
}

export interface ListPage<Item> {
  items: Item[]
  /** Undefined when there is nothing more. */
  nextCursor: string | undefined
  /** Of all pages; undefined unless it was asked for. */
  totalCount: number | undefined
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

export const EMPTY_PAGE: ListPage<never> = { items: [], nextCursor: undefined, totalCount: undefined }

/** How many items a page has. @throws ApiError badRequest */
export function readLimit(limit: number): number {
  if (limit < 0) throw new ApiError('badRequest', 'limit: must not be negative')
  return limit === 0 ? DEFAULT_LIMIT : Math.min(limit, MAX_LIMIT)
}

/** @param items one more than `limit`, if there is one */
export function makePage<Item extends { id: string }>(items: Item[], limit: number, totalCount: number | undefined) {
  const page = items.slice(0, limit)
  return { items: page, nextCursor: items.length > limit ? page.at(-1)?.id : undefined, totalCount }
}

const Count = v.object({ count: v.pipe(v.string(), v.transform(Number)) })

/** The number of rows of `from …`; undefined unless `isWanted`, because counting reads all of them. */
export async function countRows(sql: Queryable, from: Fragment, isWanted: boolean): Promise<number | undefined> {
  if (!isWanted) return undefined
  const [row] = await sql`select count(*) as count ${from}`
  return v.parse(Count, row).count
}
