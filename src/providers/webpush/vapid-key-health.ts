/**
 * After this many refusals in a row the VAPID key counts as refused, even if it was accepted before. A batch has fewer
 * subscriptions that were made with another key, and if the key itself is wrong, a second of sending reaches the
 * number.
 */
const MAX_REFUSALS = 20

/**
 * Decides whether push services accept the VAPID key of this server. They give the same answer to a wrong key and to a
 * subscription that was made with another key, for example before the keys were changed. If every refusal paused the
 * provider, one old subscription would stop the pushes to all others (docs/decisions/0004).
 */
export class VapidKeyHealth {
  #isAccepted = false
  #refusals = 0

  /** Records an answer that shows that a push service accepted the key. */
  onAccepted(): void {
    this.#isAccepted = true
    this.#refusals = 0
  }

  /** Records a refusal. Returns true if the key is wrong, false if one subscription was made with another key. */
  onRefused(): boolean {
    this.#refusals++
    if (this.#refusals >= MAX_REFUSALS) this.#isAccepted = false
    return !this.#isAccepted
  }
}
