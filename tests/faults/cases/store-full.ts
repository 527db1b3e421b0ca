import { userOf } from '../audience.ts'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'
import { waitUntil } from '../wait.ts'

/** The memory that the store may use above its present use. */
const ROOM_BYTES = 3_000_000
/** The payload of a push: a few hundred pushes fill the memory. */
const PAYLOAD = 'x'.repeat(3000)
const AT_ONCE = 8
const ENOUGH_REFUSED = 16

interface Asked {
  uid: string
  token: string
  params: object
}

/** Redis at its memory limit. */
export const storeFull: FaultCase = {
  name: 'store-full',
  promise:
    'a full store refuses sends with an error and keeps nothing of a refused one; workers can still empty it, and ' +
    'then it accepts sends again',
  backends: ['redis'],
  async run(rig, random, note) {
    const findings = new Findings()
    const audience = await rig.audience('crowd', rig.scale.fewDevices)
    await rig.backend.limitMemory?.(ROOM_BYTES + Math.floor(random() * ROOM_BYTES))
    try {
      const walked = rig.makeUid('walked')
      await rig.sendTo(audience, walked)
      const { accepted, refused } = await fill(rig, [...audience.tokens])
      findings.rounds = accepted.length
      findings.require(refused.length > 0, 'a full store accepted every send')
      note(`${accepted.length} sends accepted, ${refused.length} refused`)
      await rig.startProcess('worker')
      for (const { uid } of accepted) await rig.waitForEnd(uid)
      await rig.waitForEnd(walked)
      const kept = refused.filter(({ uid }) => rig.deliveries.of(uid).length > 0).length
      findings.require(kept === 0, `${kept} refused sends were sent`)
      for (const asked of refused) await repeat(rig, asked)
      findings.add(countDeliveries(audience.tokens, rig.deliveries.of(walked)))
      for (const { uid, token } of [...accepted, ...refused]) {
        findings.add(countDeliveries(new Set([token]), rig.deliveries.of(uid)))
      }
      findings.require(findings.duplicates === 0, `${findings.duplicates} pushes were doubled`)
    } finally {
      await rig.backend.limitMemory?.(undefined)
    }
    return findings
  },
}

/** Sends to one user after the other, several at a time, until sends are refused. */
async function fill(rig: Rig, tokens: readonly string[]): Promise<{ accepted: Asked[]; refused: Asked[] }> {
  const accepted: Asked[] = []
  const refused: Asked[] = []
  for (let from = 0; refused.length < ENOUGH_REFUSED && from < tokens.length; from += AT_ONCE) {
    await Promise.all(
      tokens.slice(from, from + AT_ONCE).map(async (token) => {
        const uid = rig.makeUid('filling')
        const params = rig.sendParams(uid, { users: [userOf(token)] }, {}, { fill: PAYLOAD })
        const { error } = await rig.call('send_push_notification', params)
        if (error) refused.push({ uid, token, params })
        else accepted.push({ uid, token, params })
      }),
    )
  }
  return { accepted, refused }
}

/** Repeats the request until it is accepted, and waits for the end of the send. */
async function repeat(rig: Rig, { uid, params }: Asked): Promise<void> {
  await waitUntil('room for a send', async () => {
    const { error } = await rig.call('send_push_notification', params)
    return !error
  })
  await rig.waitForEnd(uid)
}
