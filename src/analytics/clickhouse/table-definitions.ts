// The tables of the export. `notifications` is the table of Centrifugo PRO (docs/pro/analytics.md of its
// documentation): the same name and columns, so that its queries and dashboards work. `notification_attempts` is an
// addition of centripush.

/** A column of a table, with the name of its type in ClickHouse. */
export interface Column {
  name: string
  type: string
}

/** A table of the export. */
export interface TableDefinition {
  /** The name of the table. In a cluster, the table that distributes its rows has the suffix `_distributed`. */
  name: string
  columns: readonly Column[]
  /** The order of the columns in inserted rows: first those that all targets of a batch share. */
  insertOrder: string
}

const texts = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'String' }))
const TIME: Column = { name: 'time', type: 'DateTime' }

/** The final events of targets, and the reports of apps. */
export const NOTIFICATIONS: TableDefinition = {
  name: 'notifications',
  columns: [
    ...texts('uid', 'provider', 'type', 'recipient', 'device_id', 'platform', 'user', 'msg_id'),
    ...texts('status', 'error_message', 'error_code'),
    TIME,
  ],
  insertOrder:
    'uid, provider, type, time, recipient, device_id, platform, user, msg_id, status, error_code, error_message',
}

/** Attempts that did not end their targets. */
export const ATTEMPTS: TableDefinition = {
  name: 'notification_attempts',
  columns: [
    ...texts('uid', 'provider', 'type', 'recipient', 'device_id', 'platform', 'user', 'error_message', 'error_code'),
    { name: 'attempt', type: 'UInt16' },
    { name: 'latency_ms', type: 'UInt32' },
    TIME,
  ],
  insertOrder:
    'uid, provider, type, time, recipient, device_id, platform, user, attempt, error_code, error_message, latency_ms',
}

/** All tables of the export. */
export const TABLES: readonly TableDefinition[] = [NOTIFICATIONS, ATTEMPTS]
