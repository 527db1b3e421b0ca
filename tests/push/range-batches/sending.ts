import { expect, onTestFinished, test, vi } from 'vitest'
import { RANGE_DEVICES } from '../../../src/queue/batch.ts'
import { AcceptingProvider, type OpenQueue, RangeRig } from './range-rig.ts'

const WAIT = { timeout: 30_000, interval: 20 }

export function describeSending(openQueue: OpenQueue) {
  const open = async (options = {}): Promise<RangeRig> => {
    const rig = await RangeRig.open(openQueue, options)
    onTestFinished(() => rig.close())
    return rig
  }

  test('two workers send to each device of several providers and pages once', async () => {
    const rig = await open()
    const fcmTokens = await rig.storeDevices('all', 'fcm', 12_345)
    const hmsTokens = await rig.storeDevices('all', 'hms', 5_432)
    const [fcm, hms] = [new AcceptingProvider(), new AcceptingProvider()]
    for (let worker = 0; worker < 2; worker++) {
      rig.startWorker({ fcm, hms })
      rig.startFanOut()
    }
    await rig.waitForEnd(await rig.sendTo('all'))
    expect(fcm.received.sort()).toEqual(fcmTokens.sort())
    expect(hms.received.sort()).toEqual(hmsTokens.sort())
  })

  test('a send to a topic without devices ends at once', async () => {
    const rig = await open()
    const fcm = new AcceptingProvider()
    rig.startWorker({ fcm })
    rig.startFanOut()
    await rig.waitForEnd(await rig.sendTo('empty'))
    expect(fcm.received).toEqual([])
  })

  test('a range with more devices than a batch may have is sent to each of them once, in several batches', async () => {
    const rig = await open({ batchSize: 10_000 })
    const tokens = await rig.storeDevices('all', 'fcm', RANGE_DEVICES)
    const uid = await rig.sendWalked('all')
    tokens.push(...(await rig.storeDevices('all', 'fcm', 1700, '77')))
    const fcm = new AcceptingProvider()
    rig.startWorker({ fcm, hms: new AcceptingProvider() })
    await rig.waitForEnd(uid)
    expect(fcm.received.sort()).toEqual(tokens.sort())
    expect(Math.max(...fcm.batchSizes)).toBe(RANGE_DEVICES)
  })

  test('neighbouring ranges with more devices than one query reads are sent to each device once', async () => {
    const rig = await open({ batchSize: 10_000 })
    const tokens = await rig.storeDevices('all', 'fcm', 4 * RANGE_DEVICES)
    const uid = await rig.sendWalked('all')
    tokens.push(
      ...(await rig.storeDevices('all', 'fcm', 7000, '3')),
      ...(await rig.storeDevices('all', 'fcm', 7000, '9')),
    )
    const fcm = new AcceptingProvider()
    rig.startWorker({ fcm, hms: new AcceptingProvider() })
    await rig.waitForEnd(uid)
    expect(fcm.received.sort()).toEqual(tokens.sort())
    expect(Math.max(...fcm.batchSizes)).toBe(RANGE_DEVICES)
  })

  test('devices whose provider has no notification are counted once as skipped', async () => {
    const rig = await open()
    const tokens = await rig.storeDevices('all', 'fcm', 1200)
    await rig.storeDevices('all', 'hms', 700)
    await rig.storeDevices('all', 'apns', 901)
    const [fcm, hms] = [new AcceptingProvider(), new AcceptingProvider()]
    rig.startWorker({ fcm, hms })
    rig.startWorker({ fcm, hms })
    rig.startFanOut()
    await rig.waitForEnd(await rig.sendTo('all'))
    expect(await rig.readSkipped()).toEqual({ 'apns no_notification': 901 })
    expect(fcm.received).toHaveLength(tokens.length)
    expect(hms.received).toHaveLength(700)
  })

  test('batches of a paused provider are kept, others are sent, and all are sent after it is resumed', async () => {
    const rig = await open()
    const fcmTokens = await rig.storeDevices('all', 'fcm', 6000)
    const hmsTokens = await rig.storeDevices('all', 'hms', 6000)
    await rig.queue.pause('hms', 'maintenance', undefined)
    const [fcm, hms] = [new AcceptingProvider(), new AcceptingProvider()]
    rig.startWorker({ fcm, hms })
    rig.startFanOut()
    const uid = await rig.sendTo('all')
    await vi.waitFor(() => expect(fcm.received).toHaveLength(fcmTokens.length), WAIT)
    await vi.waitFor(
      async () => expect((await rig.queue.stats()).waiting.get('hms')).toBe(Math.ceil(12_000 / RANGE_DEVICES)),
      WAIT,
    )
    expect(hms.received).toEqual([])
    await rig.queue.resume('hms')
    await rig.waitForEnd(uid)
    expect(fcm.received.sort()).toEqual(fcmTokens.sort())
    expect(hms.received.sort()).toEqual(hmsTokens.sort())
  })

  test('fan-out stores no page while a provider has 200 waiting batches, and continues afterwards', async () => {
    const rig = await open()
    const fcmTokens = await rig.storeDevices('all', 'fcm', 6000)
    const filling = await rig.fill('hms', 200)
    const commits = vi.spyOn(rig.queue, 'commitPage')
    const uid = await rig.sendTo('all')
    rig.startFanOut()
    const countFull = () => commits.mock.settledResults.filter(({ value }) => value === 'full').length
    await vi.waitFor(() => expect(countFull()).toBeGreaterThanOrEqual(5), WAIT)
    expect(commits.mock.settledResults).toHaveLength(countFull())
    expect(new Map([...(await rig.queue.stats()).waiting].filter(([, count]) => count > 0))).toEqual(
      new Map([['hms', 200]]),
    )
    const [fcm, hms] = [new AcceptingProvider(), new AcceptingProvider()]
    rig.startWorker({ fcm, hms })
    await Promise.all([rig.waitForEnd(filling), rig.waitForEnd(uid)])
    expect(fcm.received.sort()).toEqual(fcmTokens.sort())
    expect(hms.received).toHaveLength(200)
  })

  test('exclusions of a user and of a device apply', async () => {
    const rig = await open()
    const tokens = await rig.storeDevices('all', 'fcm', 700)
    const [device] = await rig.database.sql<{ id: string }[]>`select id from devices where token = 'all-fcm--7'`
    const uid = await rig.sendWalked('all')
    await rig.queue.exclude(uid, { user: 'u5', deviceId: '' })
    await rig.queue.exclude(uid, { user: '', deviceId: device?.id ?? '' })
    const fcm = new AcceptingProvider()
    rig.startWorker({ fcm, hms: new AcceptingProvider() })
    await rig.waitForEnd(uid)
    const excluded = new Set(['all-fcm--5', 'all-fcm--7'])
    expect(fcm.received.sort()).toEqual(tokens.filter((token) => !excluded.has(token)).sort())
    expect(await rig.readUnsent()).toEqual({ 'fcm cancelled': 2 })
  })

  test('ranges of a cancelled send are not sent, and their devices are counted as cancelled', async () => {
    const rig = await open()
    await rig.storeDevices('all', 'fcm', 1234)
    await rig.storeDevices('all', 'hms', 77)
    const uid = await rig.sendWalked('all')
    await rig.queue.cancel(uid)
    const [fcm, hms] = [new AcceptingProvider(), new AcceptingProvider()]
    rig.startWorker({ fcm, hms })
    await rig.waitForEnd(uid)
    await vi.waitFor(async () => expect(await rig.readUnsent()).toEqual({ 'fcm cancelled': 1234, 'hms cancelled': 77 }))
    expect([...fcm.received, ...hms.received]).toEqual([])
  })
}
