// The in-flight limit of a worker, and batches that it claims ahead.
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { type Duty, FULL_DUTY, LANES } from '../../src/queue/lane.ts'
import { ScriptedProvider } from './scripted-provider.ts'
import { SENT, WorkerRig, waitForAbort } from './worker-rig.ts'

const rig = new WorkerRig()

test.each([
  { how: 'as the only process', duty: FULL_DUTY },
  { how: 'with the small lane as fallback', duty: { lanes: LANES, fallbackLanes: ['small'] } satisfies Duty },
])('sends a small send while broadcasts fill the in-flight limit, $how', async ({ duty }) => {
  const provider = new ScriptedProvider(async (target, signal) => {
    if (target === 'small') return SENT
    return waitForAbort(signal)
  })
  const worker = rig.startWorker(provider, { duty, concurrency: 64 })
  await fillRoom(provider)
  await rig.waitForEnd(await rig.enqueue(['small']))
  expect(provider.received).toHaveLength(ROOM + 1)
  await worker.stop(0)
})

/** The in-flight limit of a worker with both lanes, for targets of broadcasts. */
const ROOM = 4500

/** Fills the in-flight limit with broadcasts that do not end, until a batch of two others each is claimed ahead. */
async function fillRoom(provider: ScriptedProvider, expireAtMs?: number) {
  const values = Array.from({ length: ROOM / 9 }, (_, n) => `${n}`)
  for (let batch = 0; batch < 9; batch++) await rig.enqueue(values, 'broadcast')
  const uids = [
    await rig.enqueue(['ahead-1', 'ahead-1-b'], 'broadcast', expireAtMs),
    await rig.enqueue(['ahead-2', 'ahead-2-b'], 'broadcast', expireAtMs),
  ]
  await vi.waitFor(() => expect(provider.received).toHaveLength(ROOM), { timeout: 10_000 })
  await waitForClaims(11)
  return uids
}

const waitForClaims = (count: number) =>
  vi.waitFor(async () => expect((await rig.queue.stats()).inFlight.get('fcm') ?? 0).toBe(count), { timeout: 10_000 })

describe('a batch that was claimed ahead', () => {
  let free: () => void
  let provider: ScriptedProvider

  beforeEach(() => {
    const freed = new Promise<void>((resolve) => {
      free = resolve
    })
    provider = new ScriptedProvider(async (target, signal) => {
      if (target.startsWith('ahead')) return SENT
      return Promise.race([freed.then(() => SENT), waitForAbort(signal)])
    })
  })

  const sentAhead = () => provider.received.filter((target) => target.startsWith('ahead')).toSorted()

  test('is not sent to targets that are excluded before it begins', async () => {
    const looked = vi.spyOn(rig.queue, 'confirm')
    rig.startWorker(provider, { concurrency: 64 })
    const [first = '', second = ''] = await fillRoom(provider)
    await rig.queue.exclude(first, { user: 'user-ahead-1', deviceId: '' })
    // The second answer since the exclusion: that call began after it.
    const before = looked.mock.settledResults.length
    await vi.waitFor(() => expect(looked.mock.settledResults.length).toBeGreaterThanOrEqual(before + 2), {
      timeout: 10_000,
    })
    free()
    await Promise.all([rig.waitForEnd(first), rig.waitForEnd(second)])
    expect(sentAhead()).toEqual(['ahead-1-b', 'ahead-2', 'ahead-2-b'])
  })

  test('ends when its send is cancelled, although nothing else ends', async () => {
    rig.startWorker(provider, { concurrency: 64 })
    const [first = ''] = await fillRoom(provider)
    await rig.queue.cancel(first)
    await waitForClaims(10)
    expect(sentAhead()).toEqual([])
  })

  test('is not sent when it expires before it begins', async () => {
    let nowMs = Date.now()
    rig.startWorker(provider, { concurrency: 64, now: () => nowMs })
    const [first = '', second = ''] = await fillRoom(provider, Date.now() + 60_000)
    nowMs += 60_000
    free()
    await Promise.all([rig.waitForEnd(first), rig.waitForEnd(second)])
    expect(sentAhead()).toEqual([])
  })

  test('is released when the worker is stopped, while batches in flight finish', async () => {
    const worker = rig.startWorker(provider, { concurrency: 64 })
    const [first, second] = await fillRoom(provider)
    const stopped = worker.stop(20_000)
    await waitForClaims(9)
    const claims = await rig.queue.claimBatches('broadcast', ['fcm'], 4)
    expect(claims.toSorted((a, b) => Number(a.id) - Number(b.id))).toMatchObject([
      { uid: first, attempt: 1 },
      { uid: second, attempt: 1 },
    ])
    free()
    await stopped
    expect(sentAhead()).toEqual([])
  })
})

test('keeps within the in-flight limit, and begins further batches as soon as others have ended', async () => {
  const answers: (() => void)[] = []
  const provider = new ScriptedProvider(
    (_, signal) =>
      new Promise((resolve) => {
        answers.push(() => resolve(SENT))
        signal.addEventListener('abort', () => resolve(undefined))
      }),
  )
  const worker = rig.startWorker(provider, { concurrency: 64 })
  const values = Array.from({ length: 600 }, (_, n) => `${n}`)
  const uids: string[] = []
  for (let batch = 0; batch < 12; batch++) uids.push(await rig.enqueue(values, 'broadcast'))
  for (let sent = 0; sent < uids.length * values.length; sent += answers.splice(0).length) {
    const expected = Math.min(7 * values.length, uids.length * values.length - sent)
    await vi.waitFor(() => expect(answers).toHaveLength(expected), { timeout: 10_000 })
    for (const answer of answers) answer()
  }
  for (const uid of uids) await rig.waitForEnd(uid)
  await worker.stop(0)
})

test('with the small lane as fallback, sends small sends that no other process claims', async () => {
  const provider = new ScriptedProvider(async () => SENT)
  rig.startWorker(provider, { duty: { lanes: LANES, fallbackLanes: ['small'] } })
  await Promise.all([rig.waitForEnd(await rig.enqueue(['a'])), rig.waitForEnd(await rig.enqueue(['b'], 'broadcast'))])
  expect(provider.received.toSorted()).toEqual(['a', 'b'])
})

test('sends several small sends and a broadcast at once, even with the largest possible batches', async () => {
  const stop = new AbortController()
  const provider = new ScriptedProvider(
    (_, signal) =>
      new Promise((resolve) => {
        const end = () => resolve(undefined)
        signal.addEventListener('abort', end)
        stop.signal.addEventListener('abort', end)
      }),
  )
  const worker = rig.startWorker(provider, { maxBatchTargets: 5000 })
  for (const value of ['a', 'b', 'c', 'd']) await rig.enqueue([value])
  await rig.enqueue(['e'], 'broadcast')
  await vi.waitFor(() => expect(provider.received.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']))
  await worker.stop(0)
})
