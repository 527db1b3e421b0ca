import { randomUUID } from 'node:crypto'

/** The rights of a session. A viewer sees all pages and changes nothing. */
export type AdminRole = 'admin' | 'viewer'

/** A person that is logged in. */
export interface Session {
  /** The same in all tokens of the session. A logout ends it by this id. */
  id: string
  role: AdminRole
  /** The name of the person at the identity provider; empty after a login by password or link. */
  person: string
  /** Unix time in seconds of the latest end. */
  endsAt: number
}

/** A session ends this long after its login, however often it is used. */
const LONGEST_SECONDS = 7 * 24 * 3600
/** The identity provider is asked again after this time, so that a person who left a company loses access. */
const LONGEST_PERSON_SECONDS = 12 * 3600

/** A new session. @param nowMs Unix time in ms @param person empty for a login by password or link */
export function beginSession(nowMs: number, role: AdminRole, person = ''): Session {
  const seconds = person === '' ? LONGEST_SECONDS : LONGEST_PERSON_SECONDS
  return { id: randomUUID(), role, person, endsAt: Math.floor(nowMs / 1000) + seconds }
}
