// Rows in ClickHouse have the values that were recorded.

import * as v from 'valibot'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { TargetEvent } from '../../src/analytics/analytics.ts'
import { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { fc } from '../support/fast-check.ts'
import { describeOnClickhouse } from './describe-on-clickhouse.ts'
import { DATABASE, resetTables, SENT, SOURCE, startWriter, type TestWriter } from './writer-rig.ts'

const Row = v.object({
  uid: v.string(),
  provider: v.string(),
  type: v.string(),
  recipient: v.string(),
  device_id: v.string(),
  platform: v.string(),
  user: v.string(),
  msg_id: v.string(),
  status: v.string(),
  error_message: v.string(),
  error_code: v.string(),
  seconds: v.number(),
})

/** Texts around the lengths at which their encoding changes, of one to four bytes a character. */
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc
    .tuple(fc.constantFrom('a', 'ü', '€', '🔔'), fc.constantFrom(0, 1, 42, 63, 64, 126, 127, 128, 129, 16_384))
    .map(([character, count]) => character.repeat(count)),
)
const events: fc.Arbitrary<TargetEvent> = fc.record({
  status: fc.constantFrom('sent', 'failed', 'expired', 'cancelled', 'dropped'),
  recipient: texts,
  deviceId: texts,
  platform: texts,
  user: texts,
  messageId: texts,
  errorCode: texts,
  errorMessage: texts,
})

describeOnClickhouse('rows', () => {
  let clickhouse: TestClickhouse
  beforeAll(async () => {
    clickhouse = await TestClickhouse.start()
    await resetTables(clickhouse)
  })
  afterAll(() => clickhouse.stop())

  const waitUntilSent = async (writer: TestWriter) =>
    await vi.waitFor(() => expect(writer.analytics.rows).toBe(0), { timeout: 30_000, interval: 5 })
  /** The rows of a uid, in the order in which they were recorded: they have one time and one batch. */
  const readRows = async (uid: string) => {
    const columns = Object.keys(Row.entries).filter((name) => name !== 'seconds')
    const selected = `${columns.join(', ')}, toUnixTimestamp(time) AS seconds`
    const lines = await clickhouse.query(
      `SELECT ${selected} FROM ${DATABASE}.notifications WHERE uid = '${uid}' FORMAT JSONEachRow`,
    )
    return lines.split('\n').map((line) => v.parse(Row, JSON.parse(line)))
  }

  test('have all values of their events, for texts of any length and alphabet', async () => {
    const writer = await startWriter({ urls: [clickhouse.url], flushIntervalMs: 5 })
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(events, { minLength: 1, maxLength: 30 }), async (recorded) => {
        const uid = `uid-${run++}`
        const sinceSeconds = Math.floor(Date.now() / 1000)
        void writer.analytics.recordEvents({ uid, provider: 'apns', recipientType: 'topic', isSmall: true }, recorded)
        await waitUntilSent(writer)
        const rows = await readRows(uid)
        const expected = recorded.map((event) => ({
          uid,
          provider: 'apns',
          type: 'topic',
          recipient: event.recipient,
          device_id: event.deviceId,
          platform: event.platform,
          user: event.user,
          msg_id: event.messageId,
          status: event.status,
          error_message: event.errorMessage,
          error_code: event.errorCode,
        }))
        expect(rows.map(({ seconds, ...row }) => row)).toEqual(expected)
        for (const { seconds } of rows) expect(seconds - sinceSeconds).toBeLessThanOrEqual(30)
      }),
      { numRuns: 25 },
    )
  })

  test('of reports have uid, device, message and status', async () => {
    const writer = await startWriter({ urls: [clickhouse.url] })
    const report = { uid: 'reported', deviceId: 'd', messageId: 'm' }
    await writer.analytics.recordStatus({ ...report, status: 'delivered' })
    await writer.analytics.recordStatus({ ...report, status: 'interacted' })
    await waitUntilSent(writer)
    expect((await readRows('reported')).map(({ seconds, ...row }) => row)).toEqual(
      ['delivered', 'interacted'].map((status) => ({
        ...{ uid: 'reported', provider: '', type: '', recipient: '', device_id: 'd', platform: '', user: '' },
        ...{ msg_id: 'm', status, error_message: '', error_code: '' },
      })),
    )
  })

  test('are sealed to batches of flush_size, or of 16 MB if their texts are long', async () => {
    const writer = await startWriter({ urls: [clickhouse.url], flushRows: 1000, flushIntervalMs: 60_000 })
    writer.record(2500)
    await vi.waitFor(() => expect(writer.analytics.rows).toBe(500), { timeout: 10_000 })
    const long = { ...SENT, errorMessage: 'x'.repeat(1024 * 1024) }
    void writer.analytics.recordEvents(
      SOURCE,
      Array.from({ length: 16 }, () => long),
    )
    await waitUntilSent(writer)
    const sizes = await writer.readMetric('centrifugo_clickhouse_analytics_batch_size_histogram')
    expect(sizes).toMatchObject({ 'le=1000': 3, 'le=+Inf': 3 })
  })
})
