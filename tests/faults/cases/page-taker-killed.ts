import { setTimeout as delay } from 'node:timers/promises'
import type { CentripushProcess } from '../../support/centripush-process.ts'
import { countDeliveries, findLongestPause } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'

const WORKERS = 2
/** From a request on: within this time idle workers take, read and open their first pages. */
const TAKING_MS = 120
/** A worker never holds more targets unsettled than this. */
const MAX_UNSETTLED = 5000
const RESUMED_WITHIN_MS = 20_000

export const pageTakerKilled: FaultCase = {
  name: 'page-taker-killed',
  promise: 'kill -9 of workers while they take the pages of a broadcast loses no target',
  // The others write their pages.
  backends: ['postgresql'],
  async run(rig, random, note) {
    const { kills, fewDevices } = rig.scale
    const audience = await rig.audience('crowd', fewDevices)
    const findings = new Findings()
    // The API starts with its first request, which is not to be the one that counts.
    await rig.cancel(rig.makeUid('first'))
    while (findings.rounds < WORKERS * kills) {
      const workers = await Promise.all(Array.from({ length: WORKERS }, () => rig.startProcess('worker')))
      const uid = rig.makeUid('taken')
      const sent = rig.sendTo(audience, uid)
      await Promise.all(workers.map((worker) => killWithin(worker, TAKING_MS * random())))
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
    const mayBeDoubled = rounds * MAX_UNSETTLED
    findings.require(duplicates <= mayBeDoubled, `${duplicates} pushes were doubled, more than ${mayBeDoubled}`)
    findings.require(longestMs <= RESUMED_WITHIN_MS, `nothing was sent for ${longestMs} ms`)
    return findings
  },
}

async function killWithin(worker: CentripushProcess, ms: number): Promise<void> {
  await delay(ms)
  await worker.kill()
}
