// Pages of a walk that PostgreSQL writes where it reads them: the same batches as those that go through the process, and
// under the same fence.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { PROVIDER_NAMES, type ProviderName } from '../../src/config/provider-names.ts'
import type { TargetColumn } from '../../src/devices/target-line.ts'
import { FanOut } from '../../src/push/fan-out.ts'
import { PageReader } from '../../src/push/pages.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import {
  type CopiedPage,
  type CopyResult,
  FULL_DUTY,
  type NewBatch,
  type PageCopies,
  type PagePlan,
  type RecipientFilter,
  type Send,
  type SendClaim,
} from '../../src/queue/queue.ts'
import { encodeNativeTargets } from '../../src/queue/targets.ts'
import { type Devices, openDevices } from '../devices/methods.ts'
import { makeSend } from '../queue/make-send.ts'
import { makeTestLogger } from '../support/run-log.ts'

const logger = makeTestLogger()
const NOBODY: RecipientFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }
const PROVIDERS = ['fcm', 'fcm', 'apns', 'fcm', 'hms'] as const
const DEVICES = 60
const NOTHING_LEFT = { retries: [], givenUp: [] }

let devices: Devices
let queue: PostgresQueue

beforeAll(async () => {
  devices = await openDevices()
  for (let index = 0; index < DEVICES; index++) {
    const provider = PROVIDERS[index % PROVIDERS.length] ?? 'fcm'
    const topics = ['all', index % 2 ? 'odd' : 'even', ...(provider === 'fcm' ? ['fcm'] : [])]
    await devices.register({
      token: `t${index}`,
      provider,
      platform: provider === 'apns' ? 'ios' : 'android',
      user: `u${index % 7}`,
      locale: 'de',
      meta: { index: String(index) },
      topics,
    })
  }
})
afterAll(() => devices.drop())

beforeEach(() => {
  const { sql, queueSql, store } = devices
  const source = { sql, selectBatches: store.selectBatches.bind(store) }
  queue = new PostgresQueue({ sql: queueSql, logger, leaseMs: 15_000, maxJobs: 10_000, devices: source })
})
afterEach(async () => {
  await queue.close()
  await devices.sql`truncate push_sends, push_batches, push_pauses cascade`
})

function sendTo(filter: Partial<RecipientFilter>, providers: readonly ProviderName[] = ['fcm', 'hms', 'apns']): Send {
  const notification = { json: Buffer.from('{}'), headers: new Map<string, string>() }
  return makeSend({
    recipient: { kind: 'filter', filter: { ...NOBODY, ...filter } },
    content: {
      notifications: new Map(providers.map((name) => [name, notification])),
      analyticsUid: '',
      isReliable: false,
    },
  })
}

const planOf = (limit: number, sizes: Partial<Record<ProviderName, number>>, used: TargetColumn[] = []): PagePlan => ({
  limit,
  batchSizes: new Map(PROVIDER_NAMES.flatMap((name) => (sizes[name] === undefined ? [] : [[name, sizes[name]]]))),
  used,
})

function copiesOf(plan: PagePlan): PageCopies {
  const copies = queue.copyPages(plan)
  if (!copies) throw new Error('devices and queue are in one database')
  return copies
}

async function claimSend(send: Send): Promise<SendClaim> {
  await queue.enqueue(send)
  const [claim] = await queue.claimSends('broadcast', 1)
  if (!claim) throw new Error('the send is due')
  return claim
}

const isPage = (result: CopyResult): result is CopiedPage => typeof result !== 'string'

/** Walks to the end; resolves to its pages. */
async function copyAll(claim: SendClaim, copies: PageCopies): Promise<CopiedPage[]> {
  const pages: CopiedPage[] = []
  for (let at = claim; ; ) {
    const page = await copies.copy(at)
    if (!isPage(page)) throw new Error(`a page was not copied: ${page}`)
    pages.push(page)
    if (page.cursor === undefined) return pages
    at = { ...at, cursor: page.cursor }
  }
}

interface Written {
  provider: ProviderName
  target_count: number
  targets: string
}

const readWritten = ({ uid }: Pick<Send, 'uid'>): Promise<Written[]> =>
  devices.sql<Written[]>`select provider, target_count, targets from push_batches where uid = ${uid} order by id`

/** The lines by provider, in any order: what a walk has to write. */
async function readLines(filter: Partial<RecipientFilter>, used: TargetColumn[], names: string[]): Promise<string[]> {
  const { groups } = await devices.store.pageTargets({ ...NOBODY, ...filter }, undefined, 1000, used)
  return groups
    .filter(({ provider }) => names.includes(provider))
    .flatMap(({ provider, lines }) =>
      lines
        .toString()
        .split('\n')
        .map((line) => `${provider} ${line}`),
    )
    .sort()
}

const linesOf = (written: readonly Written[]) =>
  written.flatMap(({ provider, targets }) => targets.split('\n').map((line) => `${provider} ${line}`)).sort()

test.each([
  [{ topics: ['all'] }, 7, { fcm: 3, hms: 2, apns: 100 }, []],
  [{ topics: ['all'] }, 1000, { fcm: 5, hms: 5, apns: 5 }, []],
  [{ topics: ['all'] }, 12, { fcm: 5 }, []],
  [{ topics: ['odd', 'even'] }, 13, { fcm: 4, apns: 1 }, []],
  [{ topics: ['odd'], users: ['u1', 'u2'] }, 2, { fcm: 2, hms: 2, apns: 2 }, []],
  [{ users: ['u1'] }, 4, { fcm: 3, hms: 3 }, []],
  [{ providers: ['apns', 'hms'] }, 5, { hms: 10, apns: 2 }, []],
  [{ topics: ['all'] }, 60, { fcm: 10, hms: 10, apns: 10 }, []],
  [{ topics: ['even'] }, 9, { fcm: 4, hms: 4, apns: 4 }, ['locale', 'meta']],
] as const)(
  'of %j are, %i devices at a time, the batches that their lines make',
  async (filter, limit, sizes, used) => {
    const send = sendTo(filter)
    const plan = planOf(limit, sizes, [...used])
    const pages = await copyAll(await claimSend(send), copiesOf(plan))
    const written = await readWritten(send)
    expect(linesOf(written)).toEqual(await readLines(filter, [...used], Object.keys(sizes)))
    for (const { provider, target_count: count, targets } of written) {
      expect(targets.split('\n')).toHaveLength(count)
      expect(count).toBeLessThanOrEqual(plan.batchSizes.get(provider) ?? 0)
    }
    // As few as there can be: each page has one batch of a provider that is not full.
    for (const [provider, size] of plan.batchSizes) {
      const needed = pages.reduce((sum, { counts }) => sum + Math.ceil((counts.get(provider) ?? 0) / size), 0)
      expect(written.filter((batch) => batch.provider === provider)).toHaveLength(needed)
    }
    const { groups } = await devices.store.pageTargets({ ...NOBODY, ...filter }, undefined, 1000)
    const counted = new Map(groups.map(({ provider, count }) => [provider, count]))
    for (const [provider, count] of counted) {
      expect(pages.reduce((sum, { counts }) => sum + (counts.get(provider) ?? 0), 0)).toBe(count)
    }
  },
)

test('end their send when all batches are acknowledged, also while it is walked', async () => {
  const send = sendTo({ topics: ['all'] })
  const claim = await claimSend(send)
  let isWalked = false
  const consume = async () => {
    const lines: string[] = []
    for (;;) {
      const wasWalked = isWalked
      const claims = await queue.claimBatches('broadcast', ['fcm', 'hms', 'apns'], 3)
      for (const one of claims) {
        expect(await queue.acknowledge(one, NOTHING_LEFT)).toBe('acknowledged')
        lines.push(...one.lines.map((line) => `${one.provider} ${line}`))
      }
      if (wasWalked && claims.length === 0) return lines
    }
  }
  const walk = copyAll(claim, copiesOf(planOf(4, { fcm: 2, hms: 2, apns: 2 }))).finally(() => {
    isWalked = true
  })
  const [found] = await Promise.all([Promise.all([consume(), consume()]), walk])
  expect(found.flat().sort()).toEqual(await readLines({ topics: ['all'] }, [], ['fcm', 'hms', 'apns']))
  expect(await queue.loadContent(send.uid)).toBeUndefined()
})

test('write nothing for a walk that was cancelled or that another worker has', async () => {
  const plan = planOf(10, { fcm: 5, hms: 5, apns: 5 })
  const cancelled = await claimSend(sendTo({ topics: ['all'] }))
  await queue.cancel(cancelled.uid)
  expect(await copiesOf(plan).copy(cancelled)).toBe('lost')
  expect(await readWritten(cancelled)).toEqual([])

  const send = sendTo({ topics: ['all'] })
  const first = await claimSend(send)
  await queue.releaseSend(first)
  const [second] = await queue.claimSends('broadcast', 1)
  expect(await copiesOf(plan).copy(first)).toBe('lost')
  expect(await readWritten(send)).toEqual([])
  if (second) await copyAll(second, copiesOf(plan))
  expect(linesOf(await readWritten(send))).toEqual(await readLines({ topics: ['all'] }, [], ['fcm', 'hms', 'apns']))
})

test('that are begun ahead have ended before their walk is given back, so that the next worker goes on at once', async () => {
  const send = sendTo({ topics: ['all'] })
  const claim = await claimSend(send)
  const plan = planOf(10, { fcm: 5, hms: 5, apns: 5 })
  const copies = copiesOf(plan)
  const first = await copies.copy(claim)
  await copies.end()
  await queue.releaseSend(claim)
  const [second] = await queue.claimSends('broadcast', 1)
  expect(second?.cursor).toBeDefined()
  expect(isPage(first) && second?.cursor !== first.cursor).toBe(true)
  if (second) await copyAll(second, copiesOf(plan))
  expect(linesOf(await readWritten(send))).toEqual(await readLines({ topics: ['all'] }, [], ['fcm', 'hms', 'apns']))
})

test('are written once however often they are copied', async () => {
  const send = sendTo({ topics: ['all'] })
  const claim = await claimSend(send)
  const plan = planOf(100, { fcm: 5, hms: 5, apns: 5 })
  const first = await copiesOf(plan).copy(claim)
  const written = await readWritten(send)
  expect(await copiesOf(plan).copy(claim)).toEqual(first)
  expect(await readWritten(send)).toEqual(written)
})

test('of a topic that nobody follows end the send', async () => {
  const send = sendTo({ topics: ['unknown'] })
  expect(await copyAll(await claimSend(send), copiesOf(planOf(10, { fcm: 5 })))).toEqual([
    { cursor: undefined, counts: new Map() },
  ])
  expect(await queue.loadContent(send.uid)).toBeUndefined()
})

/** As many batches of a provider as may wait before walks do. */
async function fill(provider: ProviderName): Promise<void> {
  const lines = encodeNativeTargets(['x'])
  const batch: NewBatch = { provider, lane: 'broadcast', targetKind: 'token', lines, count: 1 }
  await queue.enqueue(makeSend(), { batches: Array.from({ length: 200 }, () => batch), cursor: undefined })
}

test('wait while their providers have 200 batches waiting', async () => {
  await fill('apns')
  const claim = await claimSend(sendTo({ topics: ['all'] }))
  expect(await copiesOf(planOf(10, { apns: 5 })).copy(claim)).toBe('full')
  expect(await copiesOf(planOf(10, { fcm: 5, apns: 5 })).copy(claim)).toBe('partly full')
  await queue.cancel(claim.uid)
  expect(await copiesOf(planOf(10, { apns: 5 })).copy(claim)).toBe('lost')
})

test('of a fan-out skip what has no notification, and wait for nobody who has no devices there', async () => {
  const skipped: string[] = []
  const pages = new PageReader({
    pageTargets: (...args) => devices.store.pageTargets(...args),
    batchSizes: new Map([
      ['fcm', 500],
      ['apns', 500],
    ]),
    onSkipped: (provider, count, reason) => skipped.push(`${provider} ${count} ${reason}`),
    now: Date.now,
  })
  const copyPages = vi.spyOn(queue, 'copyPages')
  const fanOut = new FanOut({ duty: FULL_DUTY, queue, pages, logger, heartbeatMs: 1000 })
  try {
    fanOut.start()
    const everyone = sendTo({ topics: ['all'] }, ['fcm', 'apns'])
    await queue.enqueue(everyone)
    await vi.waitFor(async () => expect(linesOf(await readWritten(everyone))).toHaveLength(48), { timeout: 10_000 })
    expect(copyPages).toHaveBeenCalledOnce()
    await vi.waitFor(() => expect(skipped).toEqual(['hms 12 no_notification']))

    await fill('apns')
    const some = sendTo({ topics: ['fcm'] }, ['fcm', 'apns'])
    await queue.enqueue(some)
    await vi.waitFor(async () => expect(linesOf(await readWritten(some))).toHaveLength(36), { timeout: 10_000 })
  } finally {
    await fanOut.stop()
  }
})
