// A provider with credentials in files. It is replaced when the files change. Their contents are compared at an
// interval, because watching the files would miss changes of Kubernetes secrets: Kubernetes replaces a symbolic link to
// their directory.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ProviderName } from '../config/provider-names.ts'
import type { Logger } from '../observability/log.ts'
import { type Repetition, startRepeating } from '../timing/repeat.ts'
import type { Availability, Batch, Provider, Settle } from './provider.ts'

/**
 * How often the files are compared, in ms. Shorter than the pause of a provider after a refused credential, so that the
 * mended credential is used when the pause ends.
 */
const INTERVAL_MS = 10_000

export interface ReloadingDeps {
  /** The paths of the files that contain the credential. */
  files: readonly string[]
  /** Makes the provider at the start in place of `make`. */
  makeFirst?(): Promise<Provider>
  /**
   * Makes the provider from the current files. Rejects if they are not valid; the error quotes nothing of their
   * content.
   */
  make(): Promise<Provider>
  logger: Logger
  /** Time between two comparisons of the files, in ms. */
  intervalMs?: number
}

/** A provider and the number of its sends in progress. */
interface Generation {
  provider: Provider
  sends: number
  isReplaced: boolean
}

/** Sends through a provider that is replaced when its files change. Sends in progress end with the previous one. */
export class ReloadingProvider implements Provider {
  readonly name: ProviderName
  readonly #deps: ReloadingDeps
  readonly #checks: Repetition
  #digest: string
  #current: Generation

  private constructor(deps: ReloadingDeps, digest: string, provider: Provider) {
    this.name = provider.name
    this.#deps = deps
    this.#digest = digest
    this.#current = { provider, sends: 0, isReplaced: false }
    this.#checks = startRepeating({
      intervalMs: deps.intervalMs ?? INTERVAL_MS,
      work: () => this.#reload(),
      onError: (error) =>
        deps.logger.error(
          { err: error, provider: this.name },
          'credential: changed files not valid, previous one in use',
        ),
    })
  }

  /** Makes the first provider. Rejects if that fails, with the same error. */
  static async start(deps: ReloadingDeps): Promise<ReloadingProvider> {
    // The digest is computed before `make` reads the files: if a file changes in between, the next comparison finds it.
    const digest = await digestOf(deps.files)
    return new ReloadingProvider(deps, digest, await (deps.makeFirst ?? deps.make)())
  }

  get takesPersonal(): boolean {
    return this.#current.provider.takesPersonal ?? false
  }

  get availability(): Availability | undefined {
    return this.#current.provider.availability
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    const used = this.#current
    used.sends++
    try {
      await used.provider.send(batch, settle, signal)
    } finally {
      used.sends--
      if (used.isReplaced) await closeUnused(used)
    }
  }

  async close(): Promise<void> {
    await this.#checks.stop()
    await this.#current.provider.close()
  }

  async #reload(): Promise<void> {
    const { files, make, logger } = this.#deps
    const digest = await digestOf(files)
    if (digest === this.#digest) return
    this.#digest = digest
    const provider = await make()
    const replaced = this.#current
    this.#current = { provider, sends: 0, isReplaced: false }
    logger.info({ provider: this.name }, 'credential: files changed, new credential in use')
    replaced.isReplaced = true
    await closeUnused(replaced)
  }
}

async function closeUnused({ provider, sends }: Generation): Promise<void> {
  if (sends === 0) await provider.close()
}

async function digestOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) {
    // A file may be absent for a moment while it is replaced. If it stays absent, `make` reports the error.
    const content = await readFile(file).catch(() => undefined)
    hash.update(`${content?.length}\n`).update(content ?? '')
  }
  return hash.digest('hex')
}
