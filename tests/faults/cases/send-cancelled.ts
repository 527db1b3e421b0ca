import { setTimeout as delay } from 'node:timers/promises'
import type { Audience } from '../audience.ts'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'

const TAKES_EFFECT_WITHIN_MS = 1000
/** The walk of a broadcast takes longer than this. */
const WALK_MS = 100
const IN_SECONDS = 2

/** Cancels a send in one of its phases. @returns the Unix time in ms of the answer */
type Cancellation = (rig: Rig, audience: Audience, uid: string, random: () => number) => Promise<number>

const CANCELLATIONS: Record<string, Cancellation> = {
  async 'before its request'(rig, audience, uid) {
    const atMs = await rig.cancel(uid)
    await rig.sendTo(audience, uid)
    return atMs
  },
  async 'before its time'(rig, audience, uid) {
    await rig.sendTo(audience, uid, { send_at: Math.floor(Date.now() / 1000) + IN_SECONDS })
    return rig.cancel(uid)
  },
  async 'during its walk'(rig, audience, uid, random) {
    await rig.sendTo(audience, uid)
    await delay(random() * WALK_MS)
    return rig.cancel(uid)
  },
  'while it is sent': (rig, audience, uid, random) => cancelEarly(rig, audience, uid, random, {}),
  // The batches of a reliable send are stored, most of them long before they are sent.
  'while its batches wait': (rig, audience, uid, random) =>
    cancelEarly(rig, audience, uid, random, { optimize_for_reliability: true }),
  async 'after its end'(rig, audience, uid) {
    await rig.sendTo(audience, uid)
    await rig.waitForEnd(uid)
    return rig.cancel(uid)
  },
}

/** Cancels so early that the rest of the send would take longer than a second. */
async function cancelEarly(rig: Rig, audience: Audience, uid: string, random: () => number, more: object) {
  const before = rig.deliveries.total
  await rig.sendTo(audience, uid, more)
  await rig.reach(before + 1 + Math.floor(random() * 0.2 * audience.tokens.size), uid)
  return rig.cancel(uid)
}

/** Cancellations in every phase of a send. */
export const sendCancelled: FaultCase = {
  name: 'send-cancelled',
  promise: 'no push of a cancelled send goes out later than 1 s after the answer, in whatever phase it is cancelled',
  async run(rig, random, note) {
    const audience = await rig.audience('broadcast', rig.scale.devices)
    const findings = new Findings()
    await rig.startProcess('worker')
    for (let round = 0; round < rig.scale.kills / 2; round++) {
      for (const [moment, cancel] of Object.entries(CANCELLATIONS)) {
        const uid = rig.makeUid('cancelled')
        const atMs = await cancel(rig, audience, uid, random)
        await waitForSilence(rig)
        const pushes = rig.deliveries.of(uid)
        for (const push of pushes) findings.noteTime(push.atMs - atMs)
        const late = pushes.filter((push) => push.atMs > atMs + TAKES_EFFECT_WITHIN_MS).length
        findings.require(late === 0, `cancelled ${moment}: ${late} pushes later than 1 s after the answer`)
        findings.duplicates += countDeliveries(audience.tokens, pushes).duplicates
        findings.rounds++
        note(`cancelled ${moment}: ${pushes.length} pushes`)
      }
    }
    findings.require(findings.duplicates === 0, `${findings.duplicates} pushes were doubled`)
    return findings
  },
}

/** Resolves when no batch is waiting and a later send has arrived, which became due after all others. */
async function waitForSilence(rig: Rig): Promise<void> {
  const uid = rig.makeUid('last')
  const last = await rig.audience('last', 1)
  await rig.sendTo(last, uid, { send_at: Math.floor(Date.now() / 1000) + IN_SECONDS })
  await rig.waitForEnd(uid)
  await rig.waitForRest()
}
