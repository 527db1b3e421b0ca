// Stops the removal of devices when a provider suddenly calls most tokens dead: then it is more likely that a credential
// belongs to another app than that the phones are gone. One for each worker: what each sees is enough to tell.
import type { ProviderName } from '../config/provider-names.ts'

/** Of this many answers the share is taken, at least: fewer prove nothing. */
const MIN_ANSWERS = 200

/** How many answers about targets there were, and how many of them called the token dead. */
interface Answers {
  judged: number
  gone: number
}

interface Deps {
  /** Told when a provider's removals stop, and when they go on. */
  onChange(provider: ProviderName, isOpen: boolean): void
}

export class RemovalBreaker {
  readonly #deps: Deps
  /** The latest batches of each provider: as few as have `MIN_ANSWERS` together. */
  readonly #latest = new Map<ProviderName, Answers[]>()
  readonly #open = new Set<ProviderName>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Takes the answers of a batch into account; returns whether the devices it called dead may be removed. */
  allows(provider: ProviderName, answers: Answers): boolean {
    if (answers.judged === 0) return !this.#open.has(provider)
    const latest = [...(this.#latest.get(provider) ?? []), answers]
    let total = sum(latest)
    for (let oldest = latest[0]; oldest && total.judged - oldest.judged >= MIN_ANSWERS; oldest = latest[0]) {
      latest.shift()
      total = sum(latest)
    }
    this.#latest.set(provider, latest)
    this.#set(provider, total.judged >= MIN_ANSWERS && total.gone * 2 > total.judged)
    return !this.#open.has(provider)
  }

  #set(provider: ProviderName, isOpen: boolean): void {
    if (isOpen === this.#open.has(provider)) return
    if (isOpen) this.#open.add(provider)
    else this.#open.delete(provider)
    this.#deps.onChange(provider, isOpen)
  }
}

function sum(all: readonly Answers[]): Answers {
  return all.reduce((total, { judged, gone }) => ({ judged: total.judged + judged, gone: total.gone + gone }), {
    judged: 0,
    gone: 0,
  })
}
