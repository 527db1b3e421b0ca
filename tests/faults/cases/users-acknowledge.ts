import { userOf } from '../audience.ts'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'

const TAKES_EFFECT_WITHIN_MS = 1000

/** Acknowledgements of single users before and during a broadcast. */
export const usersAcknowledge: FaultCase = {
  name: 'users-acknowledge',
  promise:
    'a user that acknowledges (cancel_push with user) before or during a send gets no push of it later than 1 s after',
  async run(rig, random, note) {
    const { acknowledgements, devices } = rig.scale
    const audience = await rig.audience('broadcast', devices)
    const tokens = [...audience.tokens]
    const findings = new Findings()
    const uid = rig.makeUid('acknowledged')
    await rig.startProcess('worker')
    const acknowledgedAtMs = new Map<string, number>()
    const acknowledge = async () => {
      const token = tokens[Math.floor(random() * tokens.length)] ?? ''
      acknowledgedAtMs.set(token, await rig.cancel(uid, userOf(token)))
    }
    for (let count = 0; count < acknowledgements / 2; count++) await acknowledge()
    const before = rig.deliveries.total
    await rig.sendTo(audience, uid)
    for (let count = 0; count < acknowledgements / 2; count++) {
      // Within the first fifth of the send, so that most of their pushes would come long after.
      const share = Math.floor((count / acknowledgements) * 0.4 * devices)
      await rig.reach(before + share, uid)
      await acknowledge()
    }
    note(`${acknowledgedAtMs.size} users have acknowledged`)
    await rig.waitForEnd(uid)
    const pushes = rig.deliveries.of(uid)
    const others = new Set(tokens.filter((token) => !acknowledgedAtMs.has(token)))
    findings.rounds = acknowledgedAtMs.size
    findings.add(
      countDeliveries(
        others,
        pushes.filter(({ target }) => others.has(target)),
      ),
    )
    for (const { target, atMs } of pushes) findings.noteTime(atMs - (acknowledgedAtMs.get(target) ?? atMs))
    const late = pushes.filter(
      ({ target, atMs }) => atMs > (acknowledgedAtMs.get(target) ?? atMs) + TAKES_EFFECT_WITHIN_MS,
    )
    findings.require(late.length === 0, `${late.length} users were sent to later than 1 s after they acknowledged`)
    return findings
  },
}
