import { RANGE_DEVICES } from '../../../src/queue/batch.ts'
import type { Audience } from '../audience.ts'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'
import { waitUntil } from '../wait.ts'

const DEVICES = 10 * RANGE_DEVICES
/** Targets of a batch of lines: the default of `fcm.tokens_batch_size`. */
const LINES = 500
/** Devices that subscribe before the ranges are read, and again after the kill. A range has more than a batch may. */
const SUBSCRIBED = DEVICES
/** Devices of the audience that unsubscribe. */
const UNSUBSCRIBED = 500
/** The most unacknowledged targets of a worker. */
const MAX_UNACKNOWLEDGED = 5000

/** Kills of workers during broadcasts whose devices change after the fan-out. */
export const audienceChanged: FaultCase = {
  name: 'audience-changed',
  promise:
    'devices that subscribe or unsubscribe between the fan-out and kill -9 of a worker cost no other device its push',
  async run(rig, random, note) {
    const { kills } = rig.scale
    const findings = new Findings()
    while (findings.rounds < kills) {
      if (findings.rounds % 2 === 0) await changeRanges(rig, random, findings)
      else await changeReliableSend(rig, random, findings)
      findings.rounds++
      note(`${findings.rounds} of ${kills} kills`)
    }
    const { duplicates, rounds } = findings
    const mayBeDoubled = rounds * MAX_UNACKNOWLEDGED
    findings.require(duplicates <= mayBeDoubled, `${duplicates} pushes were doubled, more than ${mayBeDoubled}`)
    return findings
  },
}

/** The ranges of a broadcast get more devices than a batch may have, and lose some. */
async function changeRanges(rig: Rig, random: () => number, findings: Findings): Promise<void> {
  const { audience, uid } = await fanOut(rig, false)
  const unsubscribed = findSome(audience)
  const lastId = [...(await rig.audiences.findDeviceIds(audience)).values()].reduce((a, b) => (a > b ? a : b), '')
  const early = await rig.audiences.extend(audience, SUBSCRIBED)
  const ids = await rig.audiences.findDeviceIds(audience)
  await rig.audiences.unsubscribe({ ...audience, tokens: unsubscribed })
  const all = new Set([...audience.tokens, ...early.tokens])
  let late = new Set<string>()
  await killDuring(rig, random, uid, async () => {
    late = new Set((await rig.audiences.extend({ ...audience, tokens: all }, SUBSCRIBED)).tokens)
  })
  const isExpected = (token: string) => !unsubscribed.has(token) && (ids.get(token) ?? '') <= lastId
  // A device that subscribed after the kill gets the push if its range was not read before.
  const pushes = rig.deliveries.of(uid).filter(({ target }) => !late.has(target))
  findings.add(countDeliveries(new Set([...all].filter(isExpected)), pushes))
}

/** The stored progress of a reliable send names targets by their positions, which must not change. */
async function changeReliableSend(rig: Rig, random: () => number, findings: Findings): Promise<void> {
  const { audience, uid } = await fanOut(rig, true)
  await killDuring(rig, random, uid, () => rig.audiences.unsubscribe({ ...audience, tokens: findSome(audience) }))
  findings.add(countDeliveries(audience.tokens, rig.deliveries.of(uid)))
}

/** Some of an audience, spread over its ranges: the ids of devices are random. */
function findSome({ tokens }: Audience): ReadonlySet<string> {
  return new Set([...tokens].slice(0, UNSUBSCRIBED))
}

/** Kills a worker while it sends, and starts another one after `change`. */
async function killDuring(rig: Rig, random: () => number, uid: string, change: () => Promise<void>): Promise<void> {
  const before = rig.deliveries.total
  const victim = await rig.startProcess('worker')
  await rig.reach(before + Math.floor((0.1 + 0.6 * random()) * DEVICES), uid)
  await victim.kill()
  await change()
  const heir = await rig.startProcess('worker')
  await rig.waitForEnd(uid)
  await heir.kill()
}

/** Sends to new devices, and stores the batches without delivering them. */
async function fanOut(rig: Rig, isReliable: boolean): Promise<{ audience: Audience; uid: string }> {
  const audience = await rig.audience(rig.makeUid('changed').replace(' ', '-'), DEVICES)
  const uid = rig.makeUid('changed')
  const walker = await rig.startProcess('worker', { alterations: ['only-fan-out'] })
  await rig.sendTo(audience, uid, { optimize_for_reliability: isReliable })
  await waitUntil('the batches of the send', async () => {
    const { waiting } = await rig.queue.stats()
    return waiting.get('fcm') === DEVICES / (isReliable ? LINES : RANGE_DEVICES)
  })
  await walker.kill()
  return { audience, uid }
}
