/** The parts of the server that a process runs: `api` answers requests, `worker` sends pushes, `all` does both. */
export const ROLES = ['all', 'api', 'worker'] as const
/** The parts of the server that a process runs: one of ROLES. */
export type Role = (typeof ROLES)[number]
