import { ReplyError } from 'ioredis'
import type { StoreOutage } from '../observability/store-monitor.ts'

const UNREACHABLE: StoreOutage = {
  cause: 'Redis is not reachable',
  mend: 'start Redis, or correct the network or push_notifications.queue.redis',
  isPartial: false,
}
const NO_ANSWER: StoreOutage = {
  cause: 'Redis does not answer in time',
  mend: 'look for a stopped server, a broken network, and slow commands (SLOWLOG GET)',
  isPartial: true,
}

/** By the first word of the error reply, which is its code. */
const OUTAGES: Readonly<Record<string, StoreOutage>> = {
  OOM: {
    cause: 'Redis is at maxmemory and refuses new sends',
    mend: 'raise maxmemory of Redis, or add workers so that the queue shrinks',
    isPartial: true,
  },
  MISCONF: {
    cause: 'Redis can not write its file and refuses all writes',
    mend: 'free space on the disk of Redis, or see the log of Redis',
    isPartial: false,
  },
  READONLY: {
    cause: 'Redis is a read-only replica',
    mend: 'set push_notifications.queue.redis to the primary',
    isPartial: false,
  },
  LOADING: { cause: 'Redis is loading its file', mend: 'wait until Redis has loaded its file', isPartial: false },
  CLUSTERDOWN: { cause: 'the Redis Cluster is down', mend: 'start the missing nodes of the Cluster', isPartial: false },
  NOREPLICAS: {
    cause: 'Redis has too few replicas for a write',
    mend: 'start the replicas, or lower min-replicas-to-write of Redis',
    isPartial: false,
  },
  NOPERM: {
    cause: 'Redis refuses the user a command or a key',
    mend: 'allow the user of Redis all commands on the keys with the configured prefix',
    isPartial: true,
  },
  NOAUTH: { cause: 'Redis asks for a password', mend: 'set the password of Redis', isPartial: false },
  WRONGPASS: {
    cause: 'Redis refuses the password',
    mend: 'correct the user or the password of Redis',
    isPartial: false,
  },
}

/** Errors of ioredis for a lost connection have no code, and some of them only this message. */
const LOST = [
  'Command aborted due to connection close',
  'Connection is closed.',
  "Stream isn't writeable and enableOfflineQueue options is false",
  "Cluster isn't ready and enableOfflineQueue options is false",
  'None of startup nodes is available',
  'Failed to refresh slots cache.',
]
const LOST_NAMES: ReadonlySet<string> = new Set(['MaxRetriesPerRequestError', 'ClusterAllFailedError', 'AbortError'])

/** The outage of Redis that an error is due to; undefined for any other error. */
export function explainRedisOutage(error: unknown): StoreOutage | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof ReplyError) return OUTAGES[/^-?([A-Z]+)/.exec(error.message)?.[1] ?? '']
  if (error.message === 'Command timed out') return NO_ANSWER
  return LOST.includes(error.message) || LOST_NAMES.has(error.name) ? UNREACHABLE : undefined
}
