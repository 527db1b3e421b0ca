import * as v from 'valibot'
import { described, section } from '../option.ts'
import { duration, flag, oneOf } from '../values.ts'

/** The kinds of targets that get a row of their own, each with those of the kinds before it. */
export const ROW_LEVELS = ['failures', 'small_and_failures', 'all'] as const
/** One of ROW_LEVELS. */
export type RowLevel = (typeof ROW_LEVELS)[number]

/** The section of the analytics in PostgreSQL. */
export const postgresqlAnalytics = section({
  enabled: described(
    v.optional(flag, true),
    'Records events and attempts of pushes in the database while ClickHouse is not used. With false only the reports ' +
      'of apps are stored.',
  ),
  rows: described(
    v.optional(oneOf(ROW_LEVELS), 'small_and_failures'),
    'The targets that get a row of their own: `failures`, all that were not sent; `small_and_failures`, also the ' +
      'sent ones of sends to at most 100 targets; or `all`, which costs the database about as much as sending does. ' +
      'All others are only counted, by minute.',
  ),
  ttl: described(
    v.optional(duration(86_400_000), '168h'),
    'How long rows, reports and counts are kept, at least `24h`. They are deleted by whole days.',
  ),
})

const PostgresqlSchema = v.object({ options: postgresqlAnalytics })
/** The options of the section `postgresql_analytics`. */
export type PostgresqlAnalyticsOptions = v.InferOutput<typeof PostgresqlSchema>['options']
