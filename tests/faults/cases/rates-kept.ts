import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type Ask, MAX_ASKS } from '../../../src/limits/rate-limiter.ts'
import type { RatePolicy } from '../../../src/sends/rate-limit.ts'
import type { CentripushProcess } from '../../support/centripush-process.ts'
import type { Audience } from '../audience.ts'
import { countDeliveries } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'

/** Worker processes; several servers run them together. */
const WORKERS = 8
const DEVICES = 2000
/** Sends to the same devices at the same time. */
const SENDS = 4
const KILLS_PER_ROUND = 2
/** A device's second push is delayed by the first policy, and its fourth push by the second policy. */
const POLICIES: readonly RatePolicy[] = [
  { rate: 1, intervalMs: 1500 },
  { rate: 3, intervalMs: 6000 },
  // This limit is never reached. It makes the limiter remember every grant until the case asks for it.
  { rate: 1000, intervalMs: 3_600_000 },
]

/** Kills of workers that send limited broadcasts. */
export const ratesKept: FaultCase = {
  name: 'rates-kept',
  promise: 'rate limits of 8 workers hold in every window while some are killed, and no delayed push is lost',
  async run(rig, random, note) {
    const audience = await rig.audience('limited', DEVICES)
    const findings = new Findings()
    const start = () => rig.startProcess('worker')
    const servers = Array.from({ length: Math.ceil(WORKERS / availableParallelism()) }, start)
    await Promise.all(servers)
    while (findings.rounds < rig.scale.kills) {
      const word = rig.makeUid('rates')
      const uids = Array.from({ length: SENDS }, (_, index) => `${word} ${index}`)
      const before = rig.deliveries.total
      await Promise.all(uids.map((uid) => rig.sendTo(audience, uid, { limit_strategy: strategyOf(word) })))
      for (let kill = 0; kill < KILLS_PER_ROUND; kill++) {
        // One kill falls among the first pushes, and one into the delay of the others.
        await rig.reach(before + Math.ceil(((kill + 0.5) * DEVICES * SENDS) / 4), word)
        await delay(random() * 500)
        await killOne(servers, Math.floor(random() * servers.length), start)
        note(`${++findings.rounds} of ${rig.scale.kills} kills`)
      }
      for (const uid of uids) await rig.waitForEnd(uid)
      for (const uid of uids) findings.add(countDeliveries(audience.tokens, rig.deliveries.of(uid)))
      await checkGrants(rig, findings, audience, word, uids)
    }
    return findings
  },
}

function strategyOf(word: string): object {
  const policies = POLICIES.map(({ rate, intervalMs }) => ({ rate, interval_ms: intervalMs }))
  return { rate_limit: { key: `${word}:{{.device.id}}`, policies } }
}

/** Asks the limiter again for each push: its answer has the time of the first grant. */
async function checkGrants(rig: Rig, findings: Findings, audience: Audience, word: string, uids: readonly string[]) {
  const devices = [...(await rig.audiences.findDeviceIds(audience))]
  // The key names the device, and the id of an ask names the send.
  const asks = devices.flatMap(([, id]) => uids.map((uid): Ask => ({ key: `${word}:${id}`, id: uid })))
  const answers: Answer[] = []
  const limiter = await rig.openLimiter()
  for (let from = 0; from < asks.length; from += MAX_ASKS) {
    answers.push(...(await limiter.take(asks.slice(from, from + MAX_ASKS), POLICIES)))
  }
  const arrivals = uids.map((uid) => firstArrivals(rig, uid))
  let ungranted = 0
  let crowded = 0
  devices.forEach(([token], place) => {
    const own = answers.slice(place * uids.length, (place + 1) * uids.length)
    const times = own.map((answer) => (answer.kind === 'granted' ? answer.grantedAtMs : Number.POSITIVE_INFINITY))
    ungranted += times.filter((time, index) => time > (arrivals[index]?.get(token) ?? 0)).length
    crowded += countCrowded(times)
  })
  findings.require(ungranted === 0, `${ungranted} pushes were sent without a grant`)
  findings.require(crowded === 0, `${crowded} windows hold more than a policy allows`)
}

function firstArrivals(rig: Rig, uid: string): ReadonlyMap<string, number> {
  // A map keeps the last entry of equal keys, so the list is reversed.
  return new Map(
    rig.deliveries
      .of(uid)
      .toReversed()
      .map(({ target, atMs }) => [target, atMs]),
  )
}

/** The number of grants within one interval of the grant that is `rate` places before. */
function countCrowded(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  return POLICIES.reduce((sum, { rate, intervalMs }) => {
    const tooSoon = sorted.filter(
      (time, index) => time - (sorted[index - rate] ?? Number.NEGATIVE_INFINITY) < intervalMs,
    )
    return sum + tooSoon.length
  }, 0)
}

async function killOne(
  servers: Promise<CentripushProcess>[],
  index: number,
  start: () => Promise<CentripushProcess>,
): Promise<void> {
  await (await servers[index])?.kill()
  const heir = start()
  heir.catch(() => undefined)
  servers[index] = heir
}
