/** The rights of a session. A viewer sees all pages and changes nothing. */
export type AdminRole = 'admin' | 'viewer'

/** A person that is logged in. */
export interface Session {
  role: AdminRole
  /** Unix time of the login in seconds. */
  loginAt: number
}
