/** What a process does: answer requests, send pushes, or both. */
export const ROLES = ['all', 'api', 'worker'] as const
export type Role = (typeof ROLES)[number]
