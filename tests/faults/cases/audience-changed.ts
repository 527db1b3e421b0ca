import { RANGE_DEVICES } from '../../../src/queue/batch.ts'
import type { Audience } from '../audience.ts'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'
import { waitUntil } from '../wait.ts'

const DEVICES = 10 * RANGE_DEVICES
/** Devices that subscribe before the ranges are read, and again after the kill: a range then has more than a batch may. */
const ADDED = DEVICES
const UNSUBSCRIBED = 200
/** The most targets that a worker has in flight. */
const MAX_IN_FLIGHT = 5000

/** Kills of workers during broadcasts whose devices change after the fan-out. */
export const audienceChanged: FaultCase = {
  name: 'audience-changed',
  promise:
    'devices that subscribe or unsubscribe between the fan-out and kill -9 of a worker cost no other device its push',
  async run(rig, random, note) {
    const { kills } = rig.scale
    const findings = new Findings()
    while (findings.rounds < kills) {
      // The batches of a reliable send have lines, which do not change.
      await changeAudience(rig, random, findings, findings.rounds % 2 === 1)
      findings.rounds++
      note(`${findings.rounds} of ${kills} kills`)
    }
    const { duplicates, rounds } = findings
    const mayBeDoubled = rounds * MAX_IN_FLIGHT
    findings.require(duplicates <= mayBeDoubled, `${duplicates} pushes were doubled, more than ${mayBeDoubled}`)
    return findings
  },
}

async function changeAudience(rig: Rig, random: () => number, findings: Findings, isReliable: boolean): Promise<void> {
  const audience = await rig.audience(rig.makeUid('changed').replace(' ', '-'), DEVICES)
  const uid = rig.makeUid('changed')
  await fanOut(rig, audience, uid, isReliable)
  const unsubscribed = new Set(isReliable ? [] : [...audience.tokens].slice(0, UNSUBSCRIBED))
  const early = await changeDevices(rig, audience, unsubscribed)
  const before = rig.deliveries.total
  const victim = await rig.startProcess('worker')
  await rig.reach(before + Math.floor((0.1 + 0.6 * random()) * DEVICES), uid)
  await victim.kill()
  const late = await rig.audiences.extend({ ...audience, tokens: new Set([...audience.tokens, ...early.all]) }, ADDED)
  const heir = await rig.startProcess('worker')
  await rig.waitForEnd(uid)
  await heir.kill()
  const stayed = [...audience.tokens].filter((token) => !unsubscribed.has(token))
  const expected = new Set(isReliable ? audience.tokens : [...stayed, ...early.inRanges])
  // A device that subscribed after the kill gets the push if its range was not read before.
  const optional = isReliable ? new Set<string>() : late.tokens
  const pushes = rig.deliveries.of(uid).filter(({ target }) => !optional.has(target))
  findings.add(countDeliveries(expected, pushes))
}

/** Stores the batches of a send without delivering them. */
async function fanOut(rig: Rig, audience: Audience, uid: string, isReliable: boolean): Promise<void> {
  const walker = await rig.startProcess('worker', { alterations: ['only-fan-out'] })
  await rig.sendTo(audience, uid, { optimize_for_reliability: isReliable })
  await waitUntil('the batches of the send', async () => {
    const { waiting } = await rig.queue.stats()
    return waiting.get('fcm') === DEVICES / RANGE_DEVICES
  })
  await walker.kill()
}

/** Subscribes devices in all ranges. @param unsubscribed the devices of the audience that lose their subscription */
async function changeDevices(rig: Rig, audience: Audience, unsubscribed: ReadonlySet<string>) {
  const lastId = [...(await rig.audiences.findDeviceIds(audience)).values()].reduce((a, b) => (a > b ? a : b), '')
  const added = await rig.audiences.extend(audience, ADDED)
  const ids = await rig.audiences.findDeviceIds(audience)
  await rig.audiences.unsubscribe({ ...audience, tokens: unsubscribed })
  return { all: added.tokens, inRanges: [...added.tokens].filter((token) => (ids.get(token) ?? '') <= lastId) }
}
