import { setTimeout as delay } from 'node:timers/promises'
import { readValue } from '../../../src/sends/target-line.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'
import { waitFor } from '../wait.ts'

/** Batches taken at a time. */
const CLAIMS = 16
const IDLE_MS = 100
/** A page is written within about this time: kills fall anywhere in it. */
const PAGE_MS = 40

export const fanOutKilled: FaultCase = {
  name: 'fan-out-killed',
  promise: 'kill -9 of the worker that fans out loses no target and writes no batch twice',
  async run(rig, random, note) {
    const { walkedDevices, kills } = rig.scale
    const audience = await rig.audience('walked', walkedDevices)
    const findings = new Findings()
    const taken = new TakenTargets(rig)
    const uid = rig.makeUid('walked')
    let walker = await rig.startProcess('worker', { alterations: ['only-fan-out'] })
    // PostgreSQL writes the pages of a reliable send; of another one the workers would take them.
    await rig.sendTo(audience, uid, { optimize_for_reliability: true })
    const drained = taken.drain(uid)
    // Awaited below; until then a failure must not end the process.
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

/** Takes the batches out of the queue as a worker does, and notes who is in them. */
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

  /** Resolves when `count` targets were taken. */
  reach(count: number): Promise<void> {
    if (this.count >= count) return Promise.resolve()
    const reached = new Promise<void>((resolve) => {
      this.#waiters.push({ count, resolve })
    })
    return waitFor(`${count} targets in batches`, reached)
  }

  /** Takes all batches of a send until it is over. */
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
