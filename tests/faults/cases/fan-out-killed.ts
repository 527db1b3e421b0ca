import { setTimeout as delay } from 'node:timers/promises'
import type { BatchClaim } from '../../../src/queue/batch.ts'
import { readValue } from '../../../src/sends/target-line.ts'
import type { Audience } from '../audience.ts'
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
    const findings = new Findings()
    const kills = Math.ceil(rig.scale.kills / 2)
    // The batches of a reliable send have lines, and those of the other send are ranges.
    await killFanOut(rig, random, findings, { kills, isReliable: true, note })
    await killFanOut(rig, random, findings, { kills, isReliable: false, note })
    findings.require(findings.duplicates === 0, `${findings.duplicates} targets were in more than one batch`)
    return findings
  },
}

interface Variant {
  kills: number
  isReliable: boolean
  note(progress: string): void
}

async function killFanOut(rig: Rig, random: () => number, findings: Findings, variant: Variant): Promise<void> {
  const { kills, isReliable, note } = variant
  const { walkedDevices } = rig.scale
  const audience = await rig.audience('walked', walkedDevices)
  const targets = await BatchTargets.of(rig, audience)
  const uid = rig.makeUid('walked')
  let walker = await rig.startProcess('worker', { alterations: ['only-fan-out'] })
  await rig.sendTo(audience, uid, { optimize_for_reliability: isReliable })
  const drained = targets.drain(uid)
  // It is awaited below. Until then a rejection must not end the process.
  drained.catch(() => undefined)
  for (let kill = 0; kill < kills; kill++) {
    await targets.reach(Math.floor((walkedDevices * (kill + random() * 0.9)) / kills))
    await delay(random() * PAGE_MS)
    await walker.kill()
    findings.rounds++
    note(`${kill + 1} of ${kills} kills, ${targets.count} of ${walkedDevices} targets`)
    walker = await rig.startProcess('worker', { alterations: ['only-fan-out'] })
  }
  await drained
  await walker.kill()
  const seen = new Set(targets.values)
  const strays = [...seen].filter((token) => !audience.tokens.has(token)).length
  const duplicates = targets.count - seen.size
  findings.add({ lost: audience.tokens.size - (seen.size - strays), duplicates, strays })
}

interface Device {
  id: string
  token: string
}

/** Claims and acknowledges the batches as a worker does, and keeps their targets. */
class BatchTargets {
  readonly #rig: Rig
  /** In the order of their ids. */
  readonly #devices: readonly Device[]
  readonly values: string[] = []
  #waiters: { count: number; resolve: () => void }[] = []

  private constructor(rig: Rig, devices: readonly Device[]) {
    this.#rig = rig
    this.#devices = devices
  }

  /** The targets of batches for an audience. */
  static async of(rig: Rig, audience: Audience): Promise<BatchTargets> {
    const devices = [...(await rig.audiences.findDeviceIds(audience))].map(([token, id]) => ({ token, id }))
    return new BatchTargets(
      rig,
      devices.sort((a, b) => (a.id < b.id ? -1 : 1)),
    )
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
      for (const claim of claims) this.values.push(...this.#tokensOf(claim))
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

  #tokensOf({ targets }: BatchClaim): string[] {
    if (targets.kind === 'lines') return targets.lines.map(readValue)
    const { after, until } = targets.range
    const from = after === undefined ? 0 : this.#countUntil(after)
    return this.#devices.slice(from, this.#countUntil(until)).map(({ token }) => token)
  }

  /** How many devices have ids up to `id`: a binary search. */
  #countUntil(id: string): number {
    let from = 0
    let to = this.#devices.length
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.#devices[middle]?.id ?? '') <= id) from = middle + 1
      else to = middle
    }
    return from
  }
}
