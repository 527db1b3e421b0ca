import * as v from 'valibot'
import { parseClickhouseDsn } from '../clickhouse-address.ts'
import { clientTls } from '../client-tls.ts'
import { described, likeSection, section } from '../option.ts'
import { duration, flag, kindOf, list, text, wholeNumber } from '../values.ts'

const NATIVE_FORM = 'tcp://user:password@host:port'
const HTTP_FORM = 'http(s)://user:password@host:port'
const DSN_FORMS = `${NATIVE_FORM} or ${HTTP_FORM}`

/** The DSN of a ClickHouse server. It may contain a password, so the error does not show the value. */
const clickhouseDsn = v.pipe(
  v.string(`expected ${DSN_FORMS}`),
  v.metadata({ isSecret: true }),
  v.check(
    (value) => parseClickhouseDsn(value, false) !== undefined,
    `expected ${DSN_FORMS} (characters such as @ and / in a password as %40 and %2F)`,
  ),
)

/** An interval in ClickHouse's notation. It becomes part of a statement, so only this form is accepted. */
const ttl = v.pipe(
  v.string('expected an interval such as "7 DAY"'),
  kindOf<string>('interval of ClickHouse', { type: 'string' }),
  v.check(
    (value) => /^[1-9]\d{0,5} (SECOND|MINUTE|HOUR|DAY|WEEK|MONTH|QUARTER|YEAR)$/i.test(value),
    (issue) => `expected an interval such as "7 DAY" but found "${issue.input}"`,
  ),
)

const notifications = section({
  enabled: described(
    v.optional(flag, false),
    'Writes rows about notifications. With false the reports of apps are stored in PostgreSQL, as without ClickHouse.',
  ),
  max_buffer_size: described(
    v.optional(wholeNumber(1, 100_000_000), 1_000_000),
    'The most rows that are kept while ClickHouse does not accept them, in memory and in `data_dir`. More rows are ' +
      'dropped and counted.',
  ),
  flush_interval: described(
    v.optional(duration(1), '10s'),
    'How long a row is collected at most before it is sent. ClickHouse should get at most about one insert a second, ' +
      'from all servers together.',
  ),
  // A larger batch would be split by ClickHouse (max_insert_block_size), and stored only in part if a part fails.
  flush_size: described(v.optional(wholeNumber(1, 1_000_000), 100_000), 'The most rows of one insert.'),
  ttl: described(
    v.optional(ttl, '7 DAY'),
    'How long rows are kept, from their `time`. It is used when the table is made; later change the table with ' +
      '`ALTER TABLE … MODIFY TTL`.',
  ),
})

/** The section of the analytics in ClickHouse, with the options of Centrifugo PRO that concern notifications. */
export const clickhouseAnalytics = section({
  enabled: described(v.optional(flag, false), 'Uses ClickHouse for the exports that are enabled in `export`.'),
  clickhouse_dsn: described(
    v.optional(list(clickhouseDsn, 'ClickHouse DSNs'), []),
    `The servers: \`${NATIVE_FORM}\` or \`${HTTP_FORM}\`. The protocol is HTTP. In place of the port of a \`tcp://\` ` +
      'DSN, the HTTP port of the same server is used: 8123 for 9000, 8124 for 9001, with TLS 8443. The log names it.',
  ),
  clickhouse_database: described(v.optional(text, ''), 'The database. Empty: `default`. It is made if it is missing.'),
  clickhouse_cluster: described(
    v.optional(text, ''),
    'The name of the cluster. Rows are then inserted into the table `notifications_distributed`. Empty: one server.',
  ),
  skip_schema_initialization: described(
    v.optional(flag, false),
    'Does not make missing tables. The start fails if they are missing, and names the statements to run.',
  ),
  skip_ping_on_start: described(
    v.optional(flag, false),
    'Starts also when a server of ClickHouse cannot be reached. Rows are kept until it can.',
  ),
  tls: described(
    v.optional(likeSection(clientTls, 'push_notifications.queue.redis.tls'), {}),
    'TLS of the connections to ClickHouse.',
  ),
  export: described(
    v.optional(
      section({
        notifications: described(v.optional(notifications, {}), 'Rows about notifications and their devices.'),
      }),
      {},
    ),
    'What is written to ClickHouse.',
  ),
})

const ClickhouseSchema = v.object({ options: clickhouseAnalytics })
/** The options of the section `clickhouse_analytics`. */
export type ClickhouseOptions = v.InferOutput<typeof ClickhouseSchema>['options']
