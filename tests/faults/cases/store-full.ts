import { userOf } from '../audience.ts'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'
import { waitUntil } from '../wait.ts'

/** What the store may take besides what it holds. */
const ROOM_BYTES = 3_000_000
/** Of a push: a few hundred of them fill the room. */
const PAYLOAD = 'x'.repeat(3000)
const AT_ONCE = 8
const ENOUGH_REFUSED = 16

interface Asked {
  uid: string
  token: string
  params: object
}

export const storeFull: FaultCase = {
  name: 'store-full',
  promise:
    'a store without room answers with an error and keeps nothing of what it refused; workers empty it all the same, ' +
    'and then it takes sends again by itself',
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
      findings.require(refused.length > 0, 'a store without room took everything')
      note(`${accepted.length} sends accepted, ${refused.length} refused`)
      await rig.startProcess('worker')
      for (const { uid } of accepted) await rig.waitForEnd(uid)
      await rig.waitForEnd(walked)
      const kept = refused.filter(({ uid }) => rig.deliveries.of(uid).length > 0).length
      findings.require(kept === 0, `${kept} sends were refused and sent all the same`)
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

/** Sends to one user after the other until a send is refused, several at once. */
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

/** Asks until it is taken, and waits until it was sent. */
async function repeat(rig: Rig, { uid, params }: Asked): Promise<void> {
  await waitUntil('room for a send', async () => {
    const { error } = await rig.call('send_push_notification', params)
    return !error
  })
  await rig.waitForEnd(uid)
}
