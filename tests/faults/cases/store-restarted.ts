import { setTimeout as delay } from 'node:timers/promises'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'

/** One range. One worker claims it, and the others have nothing to do. */
const DEVICES = 300
const WORKERS = 3
/** The grace is one lease from the start of PostgreSQL, recovery included, which takes seconds on a slow machine. */
const MIN_LEASE_MS = 6000

/** Kills of the store for longer than a lease, while a worker waits for the answers of its only batch. */
export const storeRestarted: FaultCase = {
  name: 'store-restarted',
  promise:
    'a worker that survives a restart of PostgreSQL extends its claims before other workers may claim its batches, ' +
    'so no push is doubled',
  // Redis stores no time of its start, so a claim whose lease ended while it was down is claimed again.
  backends: ['postgresql'],
  async run(rig, random, note) {
    const { kills } = rig.scale
    const leaseMs = Math.max(rig.scale.leaseMs, MIN_LEASE_MS)
    // The answers come so late that the batch cannot be acknowledged before the store is killed.
    const audience = await rig.audience('slow', DEVICES)
    const findings = new Findings()
    await Promise.all(Array.from({ length: WORKERS }, () => rig.startProcess('worker', { leaseMs })))
    for (; findings.rounds < kills; findings.rounds++) {
      const uid = rig.makeUid('restarted')
      const before = rig.deliveries.total
      await rig.sendTo(audience, uid)
      await rig.reach(before + DEVICES, uid)
      await rig.backend.killStore()
      await delay(leaseMs * (1 + 0.3 * random()))
      await rig.backend.restartStore()
      await rig.waitForEnd(uid)
      findings.add(countDeliveries(audience.tokens, rig.deliveries.of(uid)))
      note(`${findings.rounds + 1} of ${kills} kills`)
    }
    findings.require(findings.duplicates === 0, `${findings.duplicates} pushes were doubled`)
    return findings
  },
}
