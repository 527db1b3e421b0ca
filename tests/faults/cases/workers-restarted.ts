import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'

/** A rolling restart of the workers. */
export const workersRestarted: FaultCase = {
  name: 'workers-restarted',
  promise: 'SIGTERM of one worker after the other under load loses and doubles no push, and each exits with code 0',
  async run(rig, random, note) {
    const { devices, fewDevices, kills } = rig.scale
    const audience = await rig.audience('broadcast', devices)
    const crowd = await rig.audience('crowd', fewDevices)
    const findings = new Findings()
    const workers = await Promise.all([rig.startProcess('worker'), rig.startProcess('worker')])
    const uid = rig.makeUid('restarted')
    const written = rig.makeUid('written')
    const before = rig.deliveries.total
    await rig.sendTo(audience, uid)
    // On PostgreSQL the batches of this reliable send have lines, and those of the other send have ranges.
    await rig.sendTo(crowd, written, { optimize_for_reliability: true })
    for (; findings.rounds < kills; findings.rounds++) {
      const share = Math.floor(((devices + fewDevices) * (findings.rounds + random() * 0.9)) / kills)
      await rig.reach(before + share, uid)
      // The oldest worker stops after its successor has started, as in a rolling update.
      workers.push(await rig.startProcess('worker'))
      const code = await workers.shift()?.stop()
      findings.require(code === 0, `a worker exited with ${code}`)
      note(`${findings.rounds + 1} of ${kills} restarts`)
    }
    await rig.waitForEnd(uid)
    await rig.waitForEnd(written)
    findings.add(countDeliveries(audience.tokens, rig.deliveries.of(uid)))
    findings.add(countDeliveries(crowd.tokens, rig.deliveries.of(written)))
    findings.require(findings.duplicates === 0, `${findings.duplicates} pushes were doubled`)
    return findings
  },
}
