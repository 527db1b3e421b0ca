import { expect, onTestFinished, test, vi } from 'vitest'
import { AcceptingProvider, type OpenQueue, RangeRig } from './range-rig.ts'

export function describeRecovery(openQueue: OpenQueue) {
  const open = async (options = {}): Promise<RangeRig> => {
    const rig = await RangeRig.open(openQueue, options)
    onTestFinished(() => rig.close())
    return rig
  }

  test('another worker sends the claimed batches of a dead worker, to each device once', async () => {
    const rig = await open()
    const tokens = await rig.storeDevices('all', 'fcm', 12_345)
    const uid = await rig.sendWalked('all')
    await rig.claimAsDeadWorker(10)
    const fcm = new AcceptingProvider()
    rig.startWorker({ fcm, hms: new AcceptingProvider() })
    await rig.waitForEnd(uid)
    expect(fcm.received.sort()).toEqual(tokens.sort())
  })

  test('a recovered range is sent to the current devices: unsubscribed ones are skipped, new ones added', async () => {
    const rig = await open()
    const { sql } = rig.database
    const tokens = await rig.storeDevices('all', 'fcm', 1000)
    const uid = await rig.sendWalked('all')
    await rig.claimAsDeadWorker(2)
    await sql`delete from devices where token in ('all-fcm--1', 'all-fcm--2')`
    await sql`
      delete from device_topics where device_id in (select id from devices where token in ('all-fcm--3', 'all-fcm--4'))`
    const added = await rig.storeDevices('all', 'fcm', 3, '77')
    const fcm = new AcceptingProvider()
    rig.startWorker({ fcm, hms: new AcceptingProvider() })
    await rig.waitForEnd(uid)
    const gone = new Set(['all-fcm--1', 'all-fcm--2', 'all-fcm--3', 'all-fcm--4'])
    expect(fcm.received.sort()).toEqual([...tokens.filter((token) => !gone.has(token)), ...added].sort())
  })

  test('a stopped worker releases batches that it has not begun, and another sends them once per device', async () => {
    // With this lease, batches that are not released are not claimed again within the test.
    const rig = await open({ leaseMs: 600_000 })
    const tokens = await rig.storeDevices('all', 'fcm', 12_345)
    let accept = (): void => undefined
    const held = new AcceptingProvider(new Promise<void>((resolve) => (accept = resolve)))
    const first = rig.startWorker({ fcm: held, hms: new AcceptingProvider() })
    const uid = await rig.sendWalked('all')
    await vi.waitFor(() => expect(held.received.length).toBeGreaterThan(0))
    const stopped = first.stop(20_000)
    accept()
    await stopped
    expect(held.received.length).toBeLessThan(tokens.length)
    const fcm = new AcceptingProvider()
    rig.startWorker({ fcm, hms: new AcceptingProvider() })
    await rig.waitForEnd(uid)
    expect([...held.received, ...fcm.received].sort()).toEqual(tokens.sort())
  })

  test('a range that cannot be read is released, and does not delay other sends', async () => {
    const rig = await open({ leaseMs: 600_000 })
    const badTokens = await rig.storeDevices('bad', 'fcm', 700)
    const goodTokens = await rig.storeDevices('good', 'fcm', 700)
    const [bad, good] = [await rig.sendWalked('bad'), await rig.sendWalked('good')]
    const pageTargets = rig.store.pageTargets.bind(rig.store)
    const reads = vi.spyOn(rig.store, 'pageTargets').mockImplementation((filter, query) => {
      return filter.topics.includes('bad') ? Promise.reject(new Error('too slow')) : pageTargets(filter, query)
    })
    const fcm = new AcceptingProvider()
    rig.startWorker({ fcm, hms: new AcceptingProvider() })
    await rig.waitForEnd(good)
    expect(fcm.received.sort()).toEqual(goodTokens.sort())
    expect(await rig.queue.loadSend(bad)).toBeDefined()
    reads.mockRestore()
    await rig.waitForEnd(bad)
    expect(fcm.received.sort()).toEqual([...badTokens, ...goodTokens].sort())
  })
}
