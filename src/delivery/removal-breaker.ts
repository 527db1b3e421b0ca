// The removal breaker: while a provider reports most tokens as dead, devices with dead tokens are not removed. Most
// likely these tokens are alive, and the provider is configured with the credential of another app. Each worker has a
// breaker of its own: its own answers are enough to compute the share of dead tokens.
import type { ProviderName } from '../config/provider-names.ts'

/** The fewest answers of which the share of dead tokens is computed. The share of fewer answers is not reliable. */
const MIN_ANSWERS = 200

/** The number of targets that a provider judged, and the number of dead tokens among them. */
interface Answers {
  judged: number
  gone: number
}

/** The latest batches of a provider, the fewest with `MIN_ANSWERS` answers together, and their sum. */
interface LatestAnswers {
  batches: Answers[]
  total: Answers
}

interface Deps {
  /** Called when the removals for a provider stop (`isOpen`), and when they resume. */
  onChange(provider: ProviderName, isOpen: boolean): void
}

/** The removal breaker of one worker, with a state for each provider. */
export class RemovalBreaker {
  readonly #deps: Deps
  readonly #latest = new Map<ProviderName, LatestAnswers>()
  readonly #open = new Set<ProviderName>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Records the answers to a batch; returns whether its devices with dead tokens may be removed. */
  allows(provider: ProviderName, answers: Answers): boolean {
    if (answers.judged === 0) return !this.#open.has(provider)
    const { batches, total } = this.#latestOf(provider)
    batches.push(answers)
    total.judged += answers.judged
    total.gone += answers.gone
    for (let oldest = batches[0]; oldest && total.judged - oldest.judged >= MIN_ANSWERS; oldest = batches[0]) {
      batches.shift()
      total.judged -= oldest.judged
      total.gone -= oldest.gone
    }
    this.#set(provider, total.judged >= MIN_ANSWERS && total.gone * 2 > total.judged)
    return !this.#open.has(provider)
  }

  #latestOf(provider: ProviderName): LatestAnswers {
    const known = this.#latest.get(provider)
    if (known) return known
    const latest = { batches: [], total: { judged: 0, gone: 0 } }
    this.#latest.set(provider, latest)
    return latest
  }

  #set(provider: ProviderName, isOpen: boolean): void {
    if (isOpen === this.#open.has(provider)) return
    if (isOpen) this.#open.add(provider)
    else this.#open.delete(provider)
    this.#deps.onChange(provider, isOpen)
  }
}
