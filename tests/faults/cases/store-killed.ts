import { setTimeout as delay } from 'node:timers/promises'
import { userOf } from '../audience.ts'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'

const WORKERS = 2
/** The most unacknowledged targets of a worker. Another worker may claim them after the store's return. */
const MAX_UNSETTLED = 5000
const BACK_WITHIN_MS = 5000
const CLIENT_PAUSE_MS = 20

/** Kills of the queue's store. */
export const storeKilled: FaultCase = {
  name: 'store-killed',
  promise:
    "kill -9 of the queue's store under load loses no accepted send; 5 s after its return a new send is delivered",
  async run(rig, random, note) {
    const { devices, kills } = rig.scale
    const audience = await rig.audience('broadcast', devices)
    const crowd = await rig.audience('crowd', rig.scale.fewDevices)
    const findings = new Findings()
    for (let worker = 0; worker < WORKERS; worker++) await rig.startProcess('worker')
    const client = new Client(rig, [...crowd.tokens])
    const uid = rig.makeUid('outlived')
    const before = rig.deliveries.total
    await rig.sendTo(audience, uid)
    const sending = client.sendUntilStopped()
    for (; findings.rounds < kills; findings.rounds++) {
      const share = Math.floor((devices * (findings.rounds + random() * 0.8)) / kills)
      await rig.reach(before + share, uid)
      const backAtMs = await killStore(rig, random)
      const accepted = await client.nextAccepted()
      await accepted.delivered
      const [push] = rig.deliveries.of(accepted.uid)
      const takenMs = accepted.atMs - backAtMs
      const sentMs = (push?.atMs ?? Number.POSITIVE_INFINITY) - backAtMs
      findings.require(takenMs <= BACK_WITHIN_MS, `the first send was accepted ${takenMs} ms after the store's return`)
      findings.require(sentMs <= BACK_WITHIN_MS, `the first push came ${sentMs} ms after the store's return`)
      findings.noteTime(Math.max(takenMs, sentMs))
      note(`${findings.rounds + 1} of ${kills} kills`)
    }
    client.stop()
    await sending
    await rig.waitForEnd(uid)
    await rig.waitForRest()
    findings.add(countDeliveries(audience.tokens, rig.deliveries.of(uid)))
    for (const [uid, token] of client.accepted) {
      findings.add(countDeliveries(new Set([token]), rig.deliveries.of(uid)))
    }
    const mayBeDoubled = kills * WORKERS * MAX_UNSETTLED
    const { duplicates } = findings
    findings.require(duplicates <= mayBeDoubled, `${duplicates} pushes were doubled, more than ${mayBeDoubled}`)
    return findings
  },
}

/** Kills the store and starts it again after half a lease to one. @returns the Unix time in ms of its first answer */
async function killStore(rig: Rig, random: () => number): Promise<number> {
  await rig.backend.killStore()
  await delay(rig.scale.leaseMs * (0.5 + 0.5 * random()))
  await rig.backend.restartStore()
  return Date.now()
}

interface AcceptedSend {
  uid: string
  /** Unix time in ms of the answer. */
  atMs: number
  /** Resolves when the send has ended. */
  delivered: Promise<void>
}

/** Sends to one user after the other, and keeps the accepted sends. */
class Client {
  readonly #rig: Rig
  readonly #tokens: readonly string[]
  /** The uid of each accepted send, with the token of its only target. */
  readonly accepted = new Map<string, string>()
  #onAccepted: ((send: AcceptedSend) => void)[] = []
  #isStopped = false

  constructor(rig: Rig, tokens: readonly string[]) {
    this.#rig = rig
    this.#tokens = tokens
  }

  stop(): void {
    this.#isStopped = true
  }

  /** Resolves to the next accepted send. */
  nextAccepted(): Promise<AcceptedSend> {
    return new Promise((resolve) => this.#onAccepted.push(resolve))
  }

  async sendUntilStopped(): Promise<void> {
    for (let count = 0; !this.#isStopped; count++) {
      const token = this.#tokens[count % this.#tokens.length] ?? ''
      const uid = this.#rig.makeUid('single')
      const params = this.#rig.sendParams(uid, { users: [userOf(token)] })
      const { error } = await this.#rig
        .call('send_push_notification', params)
        .catch((error: Error) => ({ error: { code: 0, message: error.message } }))
      if (!error) this.#note(uid, token)
      await delay(CLIENT_PAUSE_MS)
    }
  }

  #note(uid: string, token: string): void {
    this.accepted.set(uid, token)
    const atMs = Date.now()
    const delivered = this.#rig.waitForEnd(uid)
    delivered.catch(() => undefined)
    for (const resolve of this.#onAccepted.splice(0)) resolve({ uid, atMs, delivered })
  }
}
