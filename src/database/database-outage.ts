import type { StoreOutage } from '../observability/store-monitor.ts'
import { NO_ANSWER } from './answer-deadline.ts'
import { readDatabaseError } from './database-error.ts'
import { hasLostCode } from './lost-connections.ts'

const UNREACHABLE: StoreOutage = {
  cause: 'PostgreSQL is not reachable',
  mend: 'start PostgreSQL, or correct the network or the dsn',
  isPartial: false,
}

const TOO_SLOW: StoreOutage = {
  cause: 'PostgreSQL does not answer in time',
  mend: 'look for a stopped server, a broken network, locks (pg_locks) and a busy disk',
  isPartial: true,
}

/** By SQLSTATE (PostgreSQL, appendix A). */
const OUTAGES: Readonly<Record<string, StoreOutage>> = {
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
  },
  // statement_timeout
  '57014': TOO_SLOW,
  '57P01': { cause: 'PostgreSQL is shutting down', mend: 'start PostgreSQL', isPartial: false },
  '57P02': { cause: 'PostgreSQL has crashed', mend: 'see the log of PostgreSQL', isPartial: false },
  '57P03': {
    cause: 'PostgreSQL is starting, recovering or shutting down',
    mend: 'wait for PostgreSQL; if this lasts, see the log of PostgreSQL',
    isPartial: false,
  },
  '58030': { cause: 'PostgreSQL can not use its files', mend: 'check the disk of PostgreSQL', isPartial: true },
}

/** The outage of PostgreSQL that an error is due to; undefined for any other error. */
export function explainDatabaseOutage(error: unknown): StoreOutage | undefined {
  if (hasLostCode(error)) return UNREACHABLE
  return OUTAGES[readDatabaseError(error)?.code ?? '']
}
