/** Credentials that all workers share, kept in the queue's store: some providers allow only so many new ones an hour. */
export interface CredentialCache {
  /**
   * Hands what is stored under `name` to `renew` and stores what that returns, which may be the same. Others who ask for
   * the name wait meanwhile, in whatever process they are, and then find it. Resolves to what is stored. `renew` is to
   * be quick; where it takes so long that its turn is over, nothing is stored and this rejects. Rejects with what
   * `renew` throws, and when the store can't be reached: nothing is stored then.
   */
  update(name: string, renew: (stored: string | undefined) => Promise<string>): Promise<string>
}
