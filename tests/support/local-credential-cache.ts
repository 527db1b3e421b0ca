import type { CredentialCache } from '../../src/providers/credential-cache.ts'

/** A credential cache in memory, for tests with one process. */
export class LocalCredentialCache implements CredentialCache {
  readonly #stored = new Map<string, string>()
  #lastUpdate: Promise<unknown> = Promise.resolve()

  update(name: string, renew: (stored: string | undefined) => Promise<string>): Promise<string> {
    const renewed = this.#lastUpdate.then(async () => {
      const value = await renew(this.#stored.get(name))
      this.#stored.set(name, value)
      return value
    })
    this.#lastUpdate = renewed.catch(() => undefined)
    return renewed
  }
}
