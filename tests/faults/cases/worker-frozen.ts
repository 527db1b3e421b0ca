import type { CentripushProcess } from '../../support/centripush-process.ts'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'

/** Three batches, which one worker can have in flight together. */
const DEVICES = 300
const BATCH_SIZE = 100
/** The worker's log message for a refused acknowledgement. */
const REFUSED = 'delivery: lease lost'

/** A worker that stops for longer than its lease. */
export const workerFrozen: FaultCase = {
  name: 'worker-frozen',
  promise:
    'the batches of a stopped worker (SIGSTOP) are sent by another one, nothing is lost, and the acknowledgements of ' +
    'the first worker are refused when it goes on (SIGCONT)',
  async run(rig) {
    const findings = new Findings()
    // The first send has a range, and the reliable one has lines. Each batch is claimed again, and its fence decides.
    await freezeWorker(rig, findings, false)
    await freezeWorker(rig, findings, true)
    return findings
  },
}

async function freezeWorker(rig: Rig, findings: Findings, isReliable: boolean): Promise<void> {
  // The answers come so late that both workers still have the targets in flight when the first one goes on.
  const audience = await rig.audience('slow', DEVICES)
  const frozen = await rig.startProcess('worker', { batchSize: BATCH_SIZE })
  const uid = rig.makeUid('frozen')
  const before = rig.deliveries.total
  await rig.sendTo(audience, uid, { optimize_for_reliability: isReliable })
  await rig.reach(before + DEVICES, uid)
  frozen.freeze()
  const heir = await rig.startProcess('worker', { batchSize: BATCH_SIZE })
  await rig.reach(before + 2 * DEVICES, uid)
  frozen.thaw()
  await rig.waitForEnd(uid)
  await frozen.stop()
  await heir.stop()
  findings.rounds++
  const count = countDeliveries(audience.tokens, rig.deliveries.of(uid))
  findings.add(count)
  findings.require(
    count.duplicates <= DEVICES,
    `${count.duplicates} pushes were doubled, more than the worker had in flight`,
  )
  findings.require(countRefused(frozen) > 0, 'no acknowledgement of the stopped worker was refused')
  findings.require(countRefused(heir) === 0, 'acknowledgements of the worker that took over were refused')
}

function countRefused({ output }: CentripushProcess): number {
  return output.stdout.split(REFUSED).length - 1
}
