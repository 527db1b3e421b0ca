import { setTimeout as delay } from 'node:timers/promises'
import { readValue } from '../../../src/sends/target-line.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'
import { waitFor } from '../wait.ts'

/** Batches of one claim. */
const CLAIMS = 16
const IDLE_MS = 100
/** A page is stored within about this time; a kill falls into any part of it. */
const PAGE_MS = 40

/** Kills of the worker that walks a broadcast's recipients. */
export const fanOutKilled: FaultCase = {
  name: 'fan-out-killed',
  promise: 'kill -9 of the worker that fans out loses no target and stores none in two batches',
  async run(rig, random, note) {
    const { walkedDevices, kills } = rig.scale
    const audience = await rig.audience('walked', walkedDevices)
    const findings = new Findings()
    const taken = new TakenTargets(rig)
    const uid = rig.makeUid('walked')
    let walker = await rig.startProcess('worker', { alterations: ['only-fan-out'] })
    // On both stores the batches of a reliable send have lines, which show their targets.
    await rig.sendTo(audience, uid, { optimize_for_reliability: true })
    const drained = taken.drain(uid)
    // It is awaited below. Until then a rejection must not end the process.
    drained.catch(() => undefined)
    for (; findings.rounds < kills; findings.rounds++) {
      await taken.reach(Math.floor((walkedDevices * (findings.rounds + random() * 0.9)) / kills))
      await delay(random() * PAGE_MS)
      await walker.kill()
      note(`${findings.rounds + 1} of ${kills} kills, ${taken.count} of ${walkedDevices} targets`)
      walker = await rig.startProcess('worker', { alterations: ['only-fan-out'] })
    }
    await drained
    const seen = new Set(taken.values)
    const strays = [...seen].filter((token) => !audience.tokens.has(token)).length
    const duplicates = taken.count - seen.size
    findings.add({ lost: audience.tokens.size - (seen.size - strays), duplicates, strays })
    findings.require(duplicates === 0, `${duplicates} targets were in more than one batch`)
    return findings
  },
}

/** Claims and acknowledges the batches as a worker does, and keeps their targets. */
class TakenTargets {
  readonly #rig: Rig
  readonly values: string[] = []
  #waiters: { count: number; resolve: () => void }[] = []

  constructor(rig: Rig) {
    this.#rig = rig
  }

  get count(): number {
    return this.values.length
  }

  /** Resolves when the claimed batches have had `count` targets. */
  reach(count: number): Promise<void> {
    if (this.count >= count) return Promise.resolve()
    const reached = new Promise<void>((resolve) => {
      this.#waiters.push({ count, resolve })
    })
    return waitFor(`${count} targets in batches`, reached)
  }

  /** Claims all batches of a send until it has ended. */
  async drain(uid: string): Promise<void> {
    const { queue } = this.#rig
    const { signal } = new AbortController()
    for (;;) {
      const claims = await queue.claimBatches('broadcast', ['fcm'], CLAIMS)
      for (const { lines } of claims) this.values.push(...lines.map(readValue))
      await Promise.all(claims.map((claim) => queue.acknowledge(claim, { retries: [], givenUp: [] })))
      for (const { resolve } of this.#waiters.filter(({ count }) => count <= this.count)) resolve()
      this.#waiters = this.#waiters.filter(({ count }) => count > this.count)
      if (claims.length > 0) {
        this.#rig.noteWork()
        continue
      }
      if (await this.#rig.isOver(uid)) return
      await queue.waitForWork('broadcast', IDLE_MS, signal)
    }
  }
}
