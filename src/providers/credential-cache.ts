/**
 * Credentials such as APNs tokens, kept in the store of the queue. All workers share them, because some providers limit
 * how many are made.
 */
export interface CredentialCache {
  /**
   * Calls `renew` with the stored value of `name`, stores its result, which may be the same value, and resolves to it.
   * Calls for one name run one after another, in all processes. Rejects, and stores nothing, if `renew` throws, if it
   * takes longer than the lock is held, or if the store fails.
   */
  update(name: string, renew: (stored: string | undefined) => Promise<string>): Promise<string>
}
