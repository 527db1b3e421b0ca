import * as v from 'valibot'
import { described, section } from '../option.ts'
import { dsn, flag, list, wholeNumber } from '../values.ts'

const postgresql = section({
  dsn: described(
    v.optional(dsn),
    '`postgresql://user:password@host:port/database`. Absent: the embedded PostgreSQL in `data_dir`.',
  ),
  replica_dsn: described(
    v.optional(list(dsn, 'PostgreSQL DSNs'), []),
    'Read replicas, used in turn when `push_notifications.read_from_replica` is true.',
  ),
  max_connections: described(
    v.optional(wholeNumber(2, 1000), 20),
    'The most connections of the server. Half of them are for the queue when the queue is in this database.',
  ),
  migrate: described(
    v.optional(flag, true),
    'Applies schema migrations at the start. With false the start fails until `centripush migrate` has run.',
  ),
})

/** The section of the database for devices, topics and, unless it has its own store, the queue. */
export const database = section({
  enabled: described(
    v.optional(flag, true),
    'With false there are no devices, and the queue needs a database of its own.',
  ),
  postgresql: described(v.optional(postgresql, {}), 'The PostgreSQL server of devices and topics.'),
})
