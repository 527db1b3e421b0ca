import * as v from 'valibot'
import { described, section } from '../option.ts'
import { dsn, duration, file, flag, list, wholeNumber } from '../values.ts'

/** The default of `connect_timeout`, in ms, for configurations without the section. */
export const CONNECT_TIMEOUT_MS = 30_000

const postgresql = section({
  dsn: described(
    v.optional(dsn),
    'A connection string as `psql` takes it: `postgresql://user:password@host:port/database?sslmode=…`, or ' +
      '`host=… user=…`. Absent: the embedded PostgreSQL in `data_dir`.',
  ),
  replica_dsn: described(
    v.optional(list(dsn, 'PostgreSQL DSNs'), []),
    'Read replicas, used in turn when `push_notifications.read_from_replica` is true.',
  ),
  ca_file: described(
    v.optional(file),
    'PEM file of the certificate authority of the servers, for all DSNs without `sslrootcert`, also that of the ' +
      'queue. Without `sslmode` the DSNs then mean `verify-full`.',
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
  connect_timeout: described(
    v.optional(duration(), '30s'),
    'How long the start waits for PostgreSQL and Redis that are not reachable or still starting.',
  ),
  postgresql: described(v.optional(postgresql, {}), 'The PostgreSQL server of devices and topics.'),
})
