import { setTimeout as delay } from 'node:timers/promises'
import type { CentripushProcess } from '../../support/centripush-process.ts'
import { userOf } from '../audience.ts'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'

const SENDS_PER_KILL = 100
const CLIENTS = 16
const CLIENT_PAUSE_MS = 20
/** A request takes less than this; a kill falls into any part of it. */
const REQUEST_MS = 30

/** Kills of the API process. */
export const apiKilled: FaultCase = {
  name: 'api-killed',
  promise:
    'kill -9 of the API during requests that clients repeat with the same uid results in one send for each request',
  async run(rig, random, note) {
    const { kills } = rig.scale
    const audience = await rig.audience('crowd', rig.scale.fewDevices)
    const tokens = [...audience.tokens].slice(0, kills * SENDS_PER_KILL)
    const findings = new Findings()
    await rig.startProcess('worker')
    let api = rig.startProcess('api')
    await api
    const waiting = tokens.map((token) => ({ token, uid: rig.makeUid('asked') }))
    const requests = [...waiting]
    let answered = 0
    const clients = Array.from({ length: CLIENTS }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        await sendUntilAnswered(rig, () => api, next)
        answered++
      }
    })
    for (; findings.rounds < kills; findings.rounds++) {
      const goal = SENDS_PER_KILL * (findings.rounds + 0.2 + 0.6 * random())
      while (answered < goal) await delay(1)
      await delay(random() * REQUEST_MS)
      await (await api).kill()
      api = rig.startProcess('api')
      note(`${findings.rounds + 1} of ${kills} kills`)
    }
    await Promise.all(clients)
    for (const { uid } of requests) await rig.waitForEnd(uid)
    await rig.waitForRest()
    for (const { uid, token } of requests) findings.add(countDeliveries(new Set([token]), rig.deliveries.of(uid)))
    findings.require(findings.duplicates === 0, `${findings.duplicates} sends were made twice`)
    return findings
  },
}

/** Repeats the same request until it is answered, as a careful client does. */
async function sendUntilAnswered(
  rig: Rig,
  api: () => Promise<CentripushProcess>,
  { uid, token }: { uid: string; token: string },
): Promise<void> {
  const params = rig.sendParams(uid, { users: [userOf(token)] })
  for (;;) {
    try {
      const { error } = await rig.call('send_push_notification', params, await api())
      if (!error) return
    } catch {
      // The API was killed during the request.
    }
    await delay(CLIENT_PAUSE_MS)
  }
}
