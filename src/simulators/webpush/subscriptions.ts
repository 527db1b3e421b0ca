import { createECDH, type ECDH, randomBytes } from 'node:crypto'

/** The subscription of a simulated browser, with its private keys. */
export interface SimulatedSubscription {
  name: string
  ecdh: ECDH
  auth: Buffer
}

/** The subscriptions of all simulated browsers, by the names of the browsers. */
export class SimulatedSubscriptions {
  readonly #byName = new Map<string, SimulatedSubscription>()

  /** Returns the subscription of the browser with this name. It is made at the first call. */
  subscribe(name: string): SimulatedSubscription {
    const known = this.#byName.get(name)
    if (known) return known
    const ecdh = createECDH('prime256v1')
    ecdh.generateKeys()
    const subscription = { name, ecdh, auth: randomBytes(16) }
    this.#byName.set(name, subscription)
    return subscription
  }

  /** Returns the subscription of the browser with this name; undefined if it has none. */
  find(name: string): SimulatedSubscription | undefined {
    return this.#byName.get(name)
  }
}

/** The `PushSubscription` of a browser as JSON, which is the token of its device in centripush. */
export function describeSubscription({ name, ecdh, auth }: SimulatedSubscription, origin: string): string {
  return JSON.stringify({
    endpoint: `${origin}/push/${encodeURIComponent(name)}`,
    expirationTime: null,
    keys: { p256dh: ecdh.getPublicKey('base64url'), auth: auth.toString('base64url') },
  })
}
