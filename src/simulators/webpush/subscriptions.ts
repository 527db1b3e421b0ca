import { createECDH, type ECDH, randomBytes } from 'node:crypto'

/** A browser's subscription, with the half that never leaves the browser. */
export interface SimulatedSubscription {
  name: string
  ecdh: ECDH
  auth: Buffer
}

/** The subscriptions of simulated browsers, by name. */
export class SimulatedSubscriptions {
  readonly #byName = new Map<string, SimulatedSubscription>()

  /** A browser's own: made when it is asked for first. */
  subscribe(name: string): SimulatedSubscription {
    const known = this.#byName.get(name)
    if (known) return known
    const ecdh = createECDH('prime256v1')
    ecdh.generateKeys()
    const subscription = { name, ecdh, auth: randomBytes(16) }
    this.#byName.set(name, subscription)
    return subscription
  }

  find(name: string): SimulatedSubscription | undefined {
    return this.#byName.get(name)
  }
}

/** What a browser's `PushSubscription` is as JSON, which is a device's token. */
export function describeSubscription({ name, ecdh, auth }: SimulatedSubscription, origin: string): string {
  return JSON.stringify({
    endpoint: `${origin}/push/${encodeURIComponent(name)}`,
    expirationTime: null,
    keys: { p256dh: ecdh.getPublicKey('base64url'), auth: auth.toString('base64url') },
  })
}
