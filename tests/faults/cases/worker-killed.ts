import type { CentripushProcess } from '../../support/centripush-process.ts'
import { countDeliveries, findLongestPause } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import { MAX_REQUESTS_IN_FLIGHT, type ProcessOptions, type Rig } from '../rig.ts'

/** A worker never holds more targets unsettled than this. */
const MAX_UNSETTLED = 5000
/** How often settled targets of a reliable send are noted. */
const CHECKPOINT_MS = 100
/** A worker that dies is replaced by its lease's end. */
const RESUMED_WITHIN_MS = 20_000
/** The last kill of a broadcast leaves about this many targets: nobody else has work then, so the pause shows. */
const TAIL = 2000
/** Devices of a broadcast for each kill: meanwhile the heir of the one before has come to hold something. */
const DEVICES_PER_KILL = 15_000

interface Variant {
  isReliable: boolean
  options?: ProcessOptions
}

export const workerKilled: FaultCase = {
  name: 'worker-killed',
  promise: 'kill -9 of a worker loses nothing, doubles at most 5,000 pushes, and its work is resumed within 20 s',
  run: (rig, random, note) => killWorkers(rig, random, note, { isReliable: false }),
}

export const reliableWorkerKilled: FaultCase = {
  name: 'reliable-worker-killed',
  promise:
    'kill -9 of a worker in a send with optimize_for_reliability doubles at most its requests in flight and what was ' +
    'sent within 100 ms',
  // Large batches, of which most would be doubled if nothing were noted while they are sent.
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
      const recent = rig.deliveries.countBetween(atMs - CHECKPOINT_MS, atMs)
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

/** After how many pushes each kill comes. */
function killPoints(kills: number, devices: number, random: () => number): number[] {
  return Array.from({ length: kills }, (_, index) =>
    index === kills - 1
      ? devices - Math.floor(TAIL * (0.5 + random()))
      : Math.floor(((devices - 2 * TAIL) * (index + random())) / kills),
  )
}

/** Kills a worker and has another one started in its place. @returns Unix time in ms */
async function killOne(workers: Promise<CentripushProcess>[], index: number, start: () => Promise<CentripushProcess>) {
  const victim = await workers[index]
  const atMs = Date.now()
  await victim?.kill()
  const heir = start()
  // Whether it started shows when it is its turn to be killed, or in that nobody sends.
  heir.catch(() => undefined)
  workers[index] = heir
  return atMs
}
