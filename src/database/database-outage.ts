import type { StoreOutage } from '../observability/store-monitor.ts'
import { NO_ANSWER } from './answer-deadline.ts'
import { NO_SUITABLE_SERVER, NO_TLS, TLS_FAILED, TLS_FILE } from './connection/connect-error.ts'
import { readDatabaseError } from './database-error.ts'
import { hasLostCode } from './lost-connections.ts'

/** An outage of PostgreSQL. */
interface DatabaseOutage extends StoreOutage {
  /** At a start it is worth waiting: PostgreSQL is starting, or not reachable yet. */
  mayPass?: boolean
}

const UNREACHABLE: DatabaseOutage = {
  cause: 'PostgreSQL is not reachable',
  mend: 'start PostgreSQL, or correct the network or the dsn',
  isPartial: false,
  mayPass: true,
}

const TOO_SLOW: StoreOutage = {
  cause: 'PostgreSQL does not answer in time',
  mend: 'look for a stopped server, a broken network, locks (pg_locks) and a busy disk',
  isPartial: true,
}

/** By SQLSTATE (PostgreSQL, appendix A). */
const OUTAGES: Readonly<Record<string, DatabaseOutage>> = {
  // The directory of a socket is there, and the socket is not.
  ENOENT: UNREACHABLE,
  EACCES: {
    cause: 'the socket of PostgreSQL must not be used by this user',
    mend: 'change its permissions (unix_socket_permissions)',
    isPartial: false,
  },
  [NO_SUITABLE_SERVER]: {
    cause: 'no server of the dsn is of the kind that target_session_attrs asks for',
    mend: 'promote a server, or correct target_session_attrs in the dsn',
    isPartial: false,
    mayPass: true,
  },
  [NO_TLS]: {
    cause: 'PostgreSQL does not support TLS, and sslmode asks for it',
    mend: 'set ssl = on in PostgreSQL, or sslmode=disable in the dsn',
    isPartial: false,
  },
  [TLS_FAILED]: {
    cause: 'the certificate of PostgreSQL is not accepted',
    mend: 'set database.postgresql.ca_file or sslrootcert to its authority, and the host to a name in the certificate',
    isPartial: false,
  },
  [TLS_FILE]: {
    cause: 'a certificate or key of the dsn can not be used',
    mend: 'correct sslrootcert, sslcert or sslkey in the dsn, or database.postgresql.ca_file',
    isPartial: false,
  },
  [NO_ANSWER]: TOO_SLOW,
  '25006': { cause: 'PostgreSQL is read-only', mend: 'set the dsn to the primary server', isPartial: false },
  '28000': {
    cause: 'PostgreSQL refuses the user',
    mend: 'correct the user in the dsn, or pg_hba.conf',
    isPartial: false,
  },
  '28P01': { cause: 'PostgreSQL refuses the password', mend: 'correct the password in the dsn', isPartial: false },
  '3D000': { cause: 'the database does not exist', mend: 'create the database, or correct the dsn', isPartial: false },
  '53100': {
    cause: 'the disk of PostgreSQL is full',
    mend: 'free space on the disk of PostgreSQL, or enlarge the disk',
    isPartial: true,
  },
  '53200': { cause: 'PostgreSQL is out of memory', mend: 'give PostgreSQL more memory', isPartial: true },
  '53300': {
    cause: 'PostgreSQL has no connection left',
    mend: 'raise max_connections of PostgreSQL, or lower database.postgresql.max_connections or worker.processes',
    isPartial: true,
    mayPass: true,
  },
  // statement_timeout
  '57014': TOO_SLOW,
  '57P01': { cause: 'PostgreSQL is shutting down', mend: 'start PostgreSQL', isPartial: false, mayPass: true },
  '57P02': { cause: 'PostgreSQL has crashed', mend: 'see the log of PostgreSQL', isPartial: false, mayPass: true },
  '57P03': {
    cause: 'PostgreSQL is starting, recovering or shutting down',
    mend: 'wait for PostgreSQL; if this lasts, see the log of PostgreSQL',
    isPartial: false,
    mayPass: true,
  },
  '58030': { cause: 'PostgreSQL can not use its files', mend: 'check the disk of PostgreSQL', isPartial: true },
}

/** The outage of PostgreSQL that an error is due to; undefined for any other error. */
export function explainDatabaseOutage(error: unknown): DatabaseOutage | undefined {
  if (hasLostCode(error)) return UNREACHABLE
  return OUTAGES[readDatabaseError(error)?.code ?? '']
}
