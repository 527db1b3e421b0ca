import { setTimeout as delay } from 'node:timers/promises'
import type { CentripushProcess } from '../../support/centripush-process.ts'
import { countDeliveries, findLongestPause } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'

const WORKERS = 2
/** Idle workers claim and read the first ranges of a broadcast within this time of the request. */
const READING_MS = 120
/** The most unacknowledged targets of a worker. */
const MAX_UNACKNOWLEDGED = 5000
const RESUMED_WITHIN_MS = 20_000

/** Kills of workers at the start of a broadcast, while they read its ranges. */
export const rangeWorkerKilled: FaultCase = {
  name: 'range-worker-killed',
  promise: 'kill -9 of workers that claim and read the first ranges of a broadcast loses no target',
  async run(rig, random, note) {
    const { kills, fewDevices } = rig.scale
    const audience = await rig.audience('crowd', fewDevices)
    const findings = new Findings()
    // The first call starts the API process, which would delay the send.
    await rig.cancel(rig.makeUid('first'))
    while (findings.rounds < WORKERS * kills) {
      const workers = await Promise.all(Array.from({ length: WORKERS }, () => rig.startProcess('worker')))
      const uid = rig.makeUid('read')
      const sent = rig.sendTo(audience, uid)
      await Promise.all(workers.map((worker) => killAfter(worker, READING_MS * random())))
      const sentAtMs = await sent
      const heirs = await Promise.all(workers.map(() => rig.startProcess('worker')))
      await rig.waitForEnd(uid)
      await Promise.all(heirs.map((heir) => heir.kill()))
      findings.rounds += workers.length
      findings.add(countDeliveries(audience.tokens, rig.deliveries.of(uid)))
      findings.noteTime(findLongestPause(sentAtMs, rig.deliveries.of(uid)))
      note(`${findings.rounds} of ${WORKERS * kills} kills`)
    }
    const { duplicates, rounds, longestMs = 0 } = findings
    const mayBeDoubled = rounds * MAX_UNACKNOWLEDGED
    findings.require(duplicates <= mayBeDoubled, `${duplicates} pushes were doubled, more than ${mayBeDoubled}`)
    findings.require(longestMs <= RESUMED_WITHIN_MS, `nothing was sent for ${longestMs} ms`)
    return findings
  },
}

async function killAfter(worker: CentripushProcess, ms: number): Promise<void> {
  await delay(ms)
  await worker.kill()
}
