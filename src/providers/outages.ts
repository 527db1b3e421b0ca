import type { ProviderName } from '../config/provider-names.ts'
import { type BreakerOptions, CircuitBreaker, scaleTiming } from '../http2/circuit-breaker.ts'
import type { Logger } from '../observability/log.ts'
import { OutageLog } from '../observability/outage-log.ts'
import type { MakeBreaker } from './outage.ts'
import { explainOutage } from './outage-causes.ts'

/** An origin of a provider that is down. */
export interface DownOrigin {
  provider: ProviderName
  /** `https://host[:port]` */
  origin: string
}

/** Makes the circuit breakers of this process, logs their outages, and lists the origins that are down. */
export class Outages {
  readonly #logger: Logger
  readonly #scale: number
  /** The breakers that opened and got no answer since. */
  readonly #down = new Map<CircuitBreaker, DownOrigin & BreakerOptions>()

  /** @param deps.scale multiplies the times of the breakers */
  constructor(deps: { logger: Logger; scale: number }) {
    this.#logger = deps.logger
    this.#scale = deps.scale
  }

  /**
   * The function with which a provider makes its breakers. A provider that replaces another one, because its files
   * changed, continues the outages of that one: the next probe ends them.
   */
  makeBreakerOf(provider: ProviderName): MakeBreaker {
    return (origin, options = {}) =>
      this.#find({ provider, origin, ...options }) ?? this.#make({ provider, origin, ...options })
  }

  /** The origins that are down. */
  list(): DownOrigin[] {
    // The others have no work that waits. Clients may choose the origins of Web Push, so they must not be kept.
    for (const breaker of this.#down.keys()) if (!breaker.isDown) this.#down.delete(breaker)
    return [...this.#down.values()].map(({ provider, origin }) => ({ provider, origin }))
  }

  /** The providers with an origin that is down. */
  listProviders(): ProviderName[] {
    return [...new Set(this.list().map(({ provider }) => provider))]
  }

  #find({ provider, origin, answersToClose }: DownOrigin & BreakerOptions): CircuitBreaker | undefined {
    const same = [...this.#down].find(
      ([, down]) => down.provider === provider && down.origin === origin && down.answersToClose === answersToClose,
    )
    return same?.[0]
  }

  #make(identity: DownOrigin & BreakerOptions): CircuitBreaker {
    const { provider, origin, ...options } = identity
    const log = new OutageLog({
      logger: this.#logger,
      kind: 'provider',
      name: provider,
      origin,
      now: () => performance.now(),
    })
    const breaker = new CircuitBreaker({
      ...options,
      timing: scaleTiming(this.#scale),
      events: {
        onOpen: (cause) => {
          this.#down.set(breaker, identity)
          log.onFailure(explainOutage(cause))
        },
        onAnswered: () => {
          this.#down.delete(breaker)
          log.onWell()
        },
      },
    })
    return breaker
  }
}
