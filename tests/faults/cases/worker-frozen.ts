import type { CentripushProcess } from '../../support/centripush-process.ts'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'

/** Three batches: one worker can hold them all, and have all of them in flight. */
const DEVICES = 300
const BATCH_SIZE = 100
/** What the worker logs when an acknowledgement is refused. */
const REFUSED = 'delivery: lease lost'

export const workerFrozen: FaultCase = {
  name: 'worker-frozen',
  promise:
    'what a worker held that was stopped (SIGSTOP) is sent by another one, nothing is lost, and the acknowledgements of ' +
    'the one that comes back (SIGCONT) are refused',
  async run(rig) {
    const findings = new Findings()
    await freezeWorker(rig, findings, false)
    // PostgreSQL has the pages of this one written: what is sent again is then the same batch, and the fence decides.
    await freezeWorker(rig, findings, true)
    return findings
  },
}

async function freezeWorker(rig: Rig, findings: Findings, isReliable: boolean): Promise<void> {
  // Answered so late that both workers are still waiting for answers when the first one comes back.
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
  findings.require(count.duplicates <= DEVICES, `${count.duplicates} pushes were doubled, more than were held`)
  findings.require(countRefused(frozen) > 0, 'no acknowledgement of the worker that came back was refused')
  findings.require(countRefused(heir) === 0, 'acknowledgements of the worker that took over were refused')
}

function countRefused({ output }: CentripushProcess): number {
  return output.stdout.split(REFUSED).length - 1
}
