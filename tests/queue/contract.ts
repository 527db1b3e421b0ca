// The contract that every implementation of the queue keeps. Each case has its own queue and runs twice: directly, and in
// the long suite with calls that fail one time in ten, before or after their work.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeAccepting } from './contract/accepting.ts'
import { describeAcks } from './contract/acks.ts'
import { describeBatches } from './contract/batches.ts'
import { describeCancelling } from './contract/cancelling.ts'
import { ContractRig, type DescribeQueue, type StartQueue } from './contract/contract-rig.ts'
import { describeDeadLetters } from './contract/dead-letters.ts'
import { describeDueTimes } from './contract/due-times.ts'
import { describeLeases } from './contract/leases.ts'
import { describePauses } from './contract/pauses.ts'
import { describeRanges } from './contract/ranges.ts'
import { describeReports } from './contract/reports.ts'
import { describeRetries } from './contract/retries.ts'
import { describeWakeUp } from './contract/wake-up.ts'
import { describeWalks } from './contract/walks.ts'
import { injectFaults, makeRandom, repeatFailed } from './faults.ts'

/** Runs the contract on queues that `start` opens. */
export const describeQueue: DescribeQueue = (name, start) => {
  describe(`the queue on ${name}`, () => describeContract(start))
}

/** Runs the contract on queues whose calls fail, and are repeated. */
export const describeFailingQueue: DescribeQueue = (name, start) => {
  let seed = 1
  const startFaulty: StartQueue = async (options) => {
    const { queue, close } = await start(options)
    return { queue: repeatFailed(injectFaults(queue, makeRandom(seed++))), close }
  }
  describe(`the queue on ${name} when calls fail`, () => describeContract(startFaulty))
}

function describeContract(start: StartQueue) {
  const rig = new ContractRig(start)
  beforeEach(() => rig.open())
  afterEach(() => rig.close())

  describe('accepting a send', () => describeAccepting(rig))
  describe('walking a send', () => describeWalks(rig))
  describe('a batch', () => describeBatches(rig))
  describe('the claim of a batch', () => describeLeases(rig))
  describe('a retry', () => describeRetries(rig))
  describe('a range batch', () => describeRanges(rig))
  describe('cancelling', () => describeCancelling(rig))
  describe('an ack', () => describeAcks(rig))
  describe('a paused provider', () => describePauses(rig))
  describe('dead letters', () => describeDeadLetters(rig))
  describe('the report of a send', () => describeReports(rig))
  describe('a waiting worker wakes', () => describeWakeUp(rig))
  describe('the time until work is due', () => describeDueTimes(rig))

  test('stats count waiting, claimed and scheduled work', async () => {
    const { queue } = rig
    await rig.enqueueSmall(['a'])
    await rig.enqueueBroadcast(['b'], ['c'])
    await rig.enqueueLater(60_000)
    const found = await rig.claim()
    await queue.confirm([found], 0)
    const stats = await queue.stats()
    expect(stats.waiting.get('fcm')).toBe(2)
    expect(stats.inFlight.get('fcm')).toBe(1)
    expect(stats.scheduled).toBe(1)
    expect(stats.oldestMs).toBeGreaterThan(0)
    const { small, broadcast } = stats.lanes
    expect([small.waiting + small.inFlight, broadcast.waiting + broadcast.inFlight]).toEqual([1, 2])
    expect(stats.oldestMs).toBe(Math.max(small.oldestMs, broadcast.oldestMs))
    expect(stats.pauses).toEqual([])
  })
}
