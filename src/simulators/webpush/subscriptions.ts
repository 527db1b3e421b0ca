import { createECDH, type ECDH, randomBytes } from 'node:crypto'

/** The subscription of a browser, with its private keys. */
export interface SimulatedSubscription {
  name: string
  ecdh: ECDH
  auth: Buffer
}

/** The subscriptions of simulated browsers, by name. */
export class SimulatedSubscriptions {
  readonly #byName = new Map<string, SimulatedSubscription>()

  /** The subscription of a browser. It is made at the first call. */
  subscribe(name: string): SimulatedSubscription {
    const known = this.#byName.get(name)
    if (known) return known
    const ecdh = createECDH('prime256v1')
    ecdh.generateKeys()
    const subscription = { name, ecdh, auth: randomBytes(16) }
    this.#byName.set(name, subscription)
    return subscription
  }

  /** The subscription of a browser, if it has one. */
  find(name: string): SimulatedSubscription | undefined {
    return this.#byName.get(name)
  }
}

/** The `PushSubscription` of a browser as JSON: the token of its device. */
export function describeSubscription({ name, ecdh, auth }: SimulatedSubscription, origin: string): string {
  return JSON.stringify({
    endpoint: `${origin}/push/${encodeURIComponent(name)}`,
    expirationTime: null,
    keys: { p256dh: ecdh.getPublicKey('base64url'), auth: auth.toString('base64url') },
  })
}
