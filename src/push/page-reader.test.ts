import { expect, test } from 'vitest'
import type { RangeQuery } from '../devices/device-ranges.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import type { SendContent } from '../sends/send-content.ts'
import { encodeNativeTargets } from '../sends/target-line.ts'
import { PageReader } from './page-reader.ts'

const FILTER: DeviceFilter = { ids: [], users: [], topics: ['t'], providers: [], platforms: [] }
const notification = { json: Buffer.from('{}'), headers: new Map<string, string>() }
const CONTENT: SendContent = {
  notifications: new Map([
    ['fcm', notification],
    ['hms', notification],
    ['apns', notification],
  ]),
  analyticsUid: '',
  isReliable: false,
}
const MORNING = { afterMs: 0, beforeMs: 3_600_000, sendsWithoutZone: true }

/** A page reader with FCM and HMS enabled. The ranges of a page end at the uuids in `ends`. */
function makeReader(ends: string[], hasMore = false) {
  const queries: RangeQuery[] = []
  const reader = new PageReader({
    devices: {
      pageTargets: async () => ({
        groups: [{ provider: 'fcm', count: 1, lines: encodeNativeTargets(['token']), timezone: '' }],
        next: undefined,
      }),
      findRanges: async (_, query) => {
        queries.push(query)
        return { ends, hasMore }
      },
    },
    batchSizes: new Map([
      ['fcm', 500],
      ['hms', 1000],
    ]),

    now: () => 0,
  })
  const read = (filter: Partial<DeviceFilter>, content: Partial<SendContent> = {}, cursor?: string) =>
    reader.read(
      { recipient: { kind: 'filter', filter: { ...FILTER, ...filter } }, content: { ...CONTENT, ...content } },
      cursor,
    )
  return { read, queries }
}

test('a broadcast is stored as adjacent ranges, with one batch per range and enabled provider', async () => {
  const { read, queries } = makeReader(['d2', 'd4'], true)
  const { batches, cursor } = await read({}, {}, 'd0')
  expect(batches.map(({ provider, lane, targets }) => [provider, lane, targets])).toEqual([
    ['fcm', 'broadcast', { kind: 'range', range: { after: 'd0', until: 'd2' } }],
    ['hms', 'broadcast', { kind: 'range', range: { after: 'd0', until: 'd2' } }],
    ['fcm', 'broadcast', { kind: 'range', range: { after: 'd2', until: 'd4' } }],
    ['hms', 'broadcast', { kind: 'range', range: { after: 'd2', until: 'd4' } }],
  ])
  expect(cursor).toBe('d4')
  expect(queries).toMatchObject([{ after: 'd0' }])
})

test('the last page of ranges ends the walk', async () => {
  const { read } = makeReader(['d2'])
  const { batches, cursor } = await read({ providers: ['hms', 'apns'] })
  expect(batches.map(({ provider }) => provider)).toEqual(['hms'])
  expect(batches[0]?.targets).toEqual({ kind: 'range', range: { after: undefined, until: 'd2' } })
  expect(cursor).toBeUndefined()
})

test.each([
  ['to listed devices', { ids: ['i'] }, {}],
  ['to listed users', { users: ['u'] }, {}],
  ['that stores the progress of its batches', {}, { isReliable: true }],
  ['with a time limit', {}, { timeLimit: MORNING }],
])('a send %s is stored as lines', async (_, filter, content) => {
  const { read, queries } = makeReader(['d2'])
  const { batches } = await read(filter, content)
  expect(batches.map(({ targets }) => targets.kind)).toEqual(['lines'])
  expect(queries).toEqual([])
})
