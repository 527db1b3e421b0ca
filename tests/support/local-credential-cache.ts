import type { CredentialCache } from '../../src/providers/credential-cache.ts'

/** A credential cache in memory, for tests with a single worker. */
export class LocalCredentialCache implements CredentialCache {
  readonly #stored = new Map<string, string>()
  #turn: Promise<unknown> = Promise.resolve()

  update(name: string, renew: (stored: string | undefined) => Promise<string>): Promise<string> {
    const renewed = this.#turn.then(async () => {
      const value = await renew(this.#stored.get(name))
      this.#stored.set(name, value)
      return value
    })
    this.#turn = renewed.catch(() => undefined)
    return renewed
  }
}
