import type { CentripushProcess } from '../../support/centripush-process.ts'
import { countDeliveries, findLongestPause } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import { MAX_REQUESTS_IN_FLIGHT, type Rig } from '../rig.ts'
import type { ProcessOptions } from '../settings.ts'

/** The most unacknowledged targets of a worker. */
const MAX_UNSETTLED = 5000
/** The promise of `optimize_for_reliability`: this much sending before a kill may be repeated. */
const REPEATED_MS = 100
/** The batches of a killed worker are claimed again within this time. */
const RESUMED_WITHIN_MS = 20_000
/** The last kill leaves about this many targets. The other worker soon has no work, so the pause is visible. */
const TAIL = 2000
/** Devices of a broadcast for each kill: enough for the previous victim's successor to have claimed batches. */
const DEVICES_PER_KILL = 15_000

interface Variant {
  isReliable: boolean
  options?: ProcessOptions
}

/** Kills of workers during a broadcast. */
export const workerKilled: FaultCase = {
  name: 'worker-killed',
  promise: 'kill -9 of a worker loses no push and doubles at most 5,000; its batches are resumed within 20 s',
  run: (rig, random, note) => killWorkers(rig, random, note, { isReliable: false }),
}

/** The same with `optimize_for_reliability`. */
export const reliableWorkerKilled: FaultCase = {
  name: 'reliable-worker-killed',
  promise:
    'kill -9 of a worker in a send with optimize_for_reliability doubles at most its requests in flight and the ' +
    'pushes of the last 100 ms',
  // Without checkpoints most of a batch would be doubled, so the batches are large.
  run: (rig, random, note) => killWorkers(rig, random, note, { isReliable: true, options: { batchSize: 5000 } }),
}

async function killWorkers(rig: Rig, random: () => number, note: (progress: string) => void, variant: Variant) {
  const { workerKills, devices } = rig.scale
  const audience = await rig.audience('broadcast', devices)
  const findings = new Findings()
  const start = () => rig.startProcess('worker', variant.options)
  const workers = [start(), start()]
  await Promise.all(workers)
  let mayBeDoubled = 0
  while (findings.rounds < workerKills) {
    const uid = rig.makeUid('killed')
    const kills = Math.min(workerKills - findings.rounds, Math.floor(devices / DEVICES_PER_KILL))
    const before = rig.deliveries.total
    const sentAtMs = await rig.sendTo(audience, uid, { optimize_for_reliability: variant.isReliable })
    for (const share of killPoints(kills, devices, random)) {
      await rig.reach(before + share, uid)
      const atMs = await killOne(workers, Math.floor(random() * workers.length), start)
      // The log does not show the worker of a push, so the pushes of the other worker are counted too.
      const recent = rig.deliveries.countBetween(atMs - REPEATED_MS, atMs)
      mayBeDoubled += variant.isReliable ? MAX_REQUESTS_IN_FLIGHT + recent : MAX_UNSETTLED
      findings.rounds++
      note(`${findings.rounds} of ${workerKills} kills`)
    }
    await rig.waitForEnd(uid)
    findings.add(countDeliveries(audience.tokens, rig.deliveries.of(uid)))
    findings.noteTime(findLongestPause(sentAtMs, rig.deliveries.of(uid)))
  }
  const { duplicates, longestMs = 0 } = findings
  findings.require(duplicates <= mayBeDoubled, `${duplicates} pushes were doubled, more than ${mayBeDoubled}`)
  findings.require(longestMs <= RESUMED_WITHIN_MS, `nothing was sent for ${longestMs} ms`)
  return findings
}

/** The numbers of pushes after which the kills come. */
function killPoints(kills: number, devices: number, random: () => number): number[] {
  return Array.from({ length: kills }, (_, index) =>
    index === kills - 1
      ? devices - Math.floor(TAIL * (0.5 + random()))
      : Math.floor(((devices - 2 * TAIL) * (index + random())) / kills),
  )
}

/** Kills a worker and starts another one in its place. @returns the Unix time of the kill in ms */
async function killOne(workers: Promise<CentripushProcess>[], index: number, start: () => Promise<CentripushProcess>) {
  const victim = await workers[index]
  const atMs = Date.now()
  await victim?.kill()
  const heir = start()
  // A failed start shows when this worker is killed in turn, or when nothing is sent.
  heir.catch(() => undefined)
  workers[index] = heir
  return atMs
}
