/**
 * Refusals in a row after which our key is not taken any more, although it was before: more than a batch has of
 * subscriptions that were made with another key, fewer than are sent in a second.
 */
const MAX_REFUSALS = 20

/**
 * Whether push services take our VAPID key. A subscription that was made with another one (before the keys were changed,
 * say) is refused just as all are when our key is wrong. Pausing for the first would let one old browser stop everybody.
 */
export class KeyStanding {
  #wasTaken = false
  #refusals = 0

  /** A service judged a subscription, so it took the key. */
  onTaken(): void {
    this.#wasTaken = true
    this.#refusals = 0
  }

  /** A service refused the key; returns whether that is about the key and not about one subscription. */
  onRefused(): boolean {
    this.#refusals++
    if (this.#refusals >= MAX_REFUSALS) this.#wasTaken = false
    return !this.#wasTaken
  }
}
