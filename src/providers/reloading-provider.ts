// A provider whose credentials are files. They are read again now and then, by content: watching would miss how
// Kubernetes changes a secret, which swaps a link to the directory that the file is in.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ProviderName } from '../config/provider-names.ts'
import type { Logger } from '../observability/log.ts'
import { type Repetition, startRepeating } from '../timing/repeat.ts'
import type { Batch, Provider, Settle } from './provider.ts'

/** How late a changed file may be noticed: well before a provider that refused the old credential is tried again. */
const INTERVAL_MS = 10_000

export interface ReloadingDeps {
  /** What the provider is made from. */
  files: readonly string[]
  /** Makes it from the files as they are. Rejects when they can't be used, with an error that quotes nothing of them. */
  make(): Promise<Provider>
  logger: Logger
  intervalMs?: number
}

/** A provider in use, and the sends that are under way through it. */
interface Generation {
  provider: Provider
  sends: number
  isReplaced: boolean
}

export class ReloadingProvider implements Provider {
  readonly name: ProviderName
  readonly takesPersonal: boolean
  readonly #deps: ReloadingDeps
  readonly #checks: Repetition
  #digest: string
  #current: Generation

  private constructor(deps: ReloadingDeps, digest: string, provider: Provider) {
    this.name = provider.name
    this.takesPersonal = provider.takesPersonal ?? false
    this.#deps = deps
    this.#digest = digest
    this.#current = { provider, sends: 0, isReplaced: false }
    this.#checks = startRepeating({
      intervalMs: deps.intervalMs ?? INTERVAL_MS,
      work: () => this.#reload(),
      onError: (error) =>
        deps.logger.error(
          { err: error, provider: this.name },
          'credentials changed and can’t be used, the old ones stay',
        ),
    })
  }

  /** Rejects with what `make` rejects with. */
  static async start(deps: ReloadingDeps): Promise<ReloadingProvider> {
    // Before it is made: a file that changes in between is read again.
    const digest = await digestOf(deps.files)
    return new ReloadingProvider(deps, digest, await deps.make())
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
    logger.info({ provider: this.name }, 'credentials changed and taken up')
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
    // Missing for a moment while it is replaced, or for good: making the provider tells.
    const content = await readFile(file).catch(() => undefined)
    hash.update(`${content?.length}\n`).update(content ?? '')
  }
  return hash.digest('hex')
}
