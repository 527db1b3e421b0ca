// A broadcast to devices of which the provider refuses some, and answers others only at the second attempt. The report
// of the send, the rows of analytics and the log of the simulator agree target by target, also after kills of workers:
// then a device has several rows only if the provider accepted several pushes to it.
// CENTRIPUSH_TEST_BROADCAST=1000000 sets the number of devices.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { CentripushProcess } from '../support/centripush-process.ts'
import { findClickhouse } from '../support/clickhouse/program.ts'
import { ReportedRig, type Row } from './reported-rig.ts'

const DEVICES = Number(process.env.CENTRIPUSH_TEST_BROADCAST ?? 4000)
/** Devices of APNs, for which the send has no notification: one for each hundred of FCM. */
const LEFT_OUT = Math.ceil(DEVICES / 100)
const KILLS = 3
const TIMEOUT_MS = Math.max(90_000, DEVICES * 2)
const WAIT = { timeout: TIMEOUT_MS, interval: 100 }
/** Rows are stored some seconds after their pushes. */
const ROWS_WAIT = { timeout: Math.max(15_000, DEVICES / 10), interval: 200 }

/** The code with which FCM refuses the tokens that begin with a word. */
const REFUSALS: Record<string, string> = { unregistered: 'UNREGISTERED', invalid: 'INVALID_ARGUMENT' }
/** The beginnings of tokens: refused, then answered at the second attempt only, then accepted and not answered. */
const WORDS = ['unregistered', 'invalid', 'unavailable-once', 'internal-once', 'refuse-once', 'reset-once']
const TOKENS = Array.from({ length: DEVICES }, (_, number) => `${WORDS[number % 100] ?? 'device'}-${number}`)
const APNS_TOKENS = Array.from({ length: LEFT_OUT }, (_, number) => `apns-${number}`)

/** What has to become of the device with a token. */
function endingOf(token: string): string {
  const code = REFUSALS[token.split('-', 1)[0] ?? '']
  return code === undefined ? 'sent' : `failed ${code}`
}

/** Checks the counts of the report. */
function expectReport(result: object): void {
  const count = (ending: string) => TOKENS.filter((token) => endingOf(token) === ending).length
  const failures = Object.values(REFUSALS).map((error_code) => {
    return { provider: 'fcm', error_code, count: count(`failed ${error_code}`) }
  })
  expect(result).toMatchObject({
    targets: DEVICES + LEFT_OUT,
    sent: count('sent'),
    failed: failures.reduce((sum, { count }) => sum + count, 0),
    failures: expect.arrayContaining(failures),
    dropped: LEFT_OUT,
    left_out: [{ provider: 'apns', reason: 'no_notification', count: LEFT_OUT }],
  })
  expect(result).not.toHaveProperty('retrying')
  expect(result).not.toHaveProperty('waiting')
}

const hasClickhouse = !('missing' in findClickhouse())

const STORES = hasClickhouse ? ['ClickHouse', 'PostgreSQL'] : ['PostgreSQL']
const COMBINATIONS = ['PostgreSQL', 'Redis'].flatMap((queue) => STORES.map((rows) => [queue, rows] as const))

describe.each(COMBINATIONS)('a broadcast through the queue on %s, with rows in %s', (queue, rows) => {
  let rig: ReportedRig
  let api: CentripushProcess
  const workers: CentripushProcess[] = []
  beforeAll(async () => {
    rig = await ReportedRig.start({ hasRedis: queue === 'Redis', hasClickhouse: rows === 'ClickHouse' })
    api = await rig.startServer('api')
    workers.push(...(await Promise.all([rig.startServer('worker'), rig.startServer('worker')])))
  })
  afterAll(() => rig.stop())

  /** The devices without a row, at most ten. */
  const listMissing = (found: readonly Row[]) => {
    const devices = new Set(found.map(({ deviceId }) => deviceId))
    return [...rig.tokens.keys(), ...rig.leftOut].filter((deviceId) => !devices.has(deviceId)).slice(0, 10)
  }

  /** Checks that the log has the accepted tokens and no others, and that each device has its row and no wrong one. */
  const expectAgreement = (found: readonly Row[], log: ReadonlyMap<string, number[]>) => {
    const accepted = TOKENS.filter((token) => endingOf(token) === 'sent')
    expect(new Set(log.keys())).toEqual(new Set(accepted))
    const wrong = found.filter(({ deviceId, ending }) => {
      const token = rig.tokens.get(deviceId)
      return ending !== (token === undefined ? 'dropped no_notification' : endingOf(token))
    })
    expect(wrong).toEqual([])
    expect(listMissing(found)).toEqual([])
    const rowsOf = countRows(found)
    // The log does not have the refused pushes.
    const repeated = [...rig.tokens].filter(([deviceId, token]) => {
      return endingOf(token) === 'sent' && (rowsOf.get(deviceId) ?? 0) > (log.get(token)?.length ?? 0)
    })
    expect(repeated).toEqual([])
  }

  const waitForRows = (uid: string) =>
    vi.waitFor(async () => expect(listMissing(await rig.readRows(uid))).toEqual([]), ROWS_WAIT)

  test('is reported exactly, and has one row for each device', { timeout: TIMEOUT_MS }, async () => {
    await rig.storeDevices(TOKENS, APNS_TOKENS)
    await rig.send(api, 'quiet')
    expectReport(await rig.readReport(api, 'quiet', WAIT))
    await waitForRows('quiet')
    expectAgreement(await rig.readRows('quiet'), rig.readLog('quiet'))
    await vi.waitFor(async () => await rig.expectCounts(), ROWS_WAIT)
  })

  test('is reported exactly after kills of its workers, and has a row for each device', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await rig.storeDevices(TOKENS, APNS_TOKENS)
    const before = rig.accepted
    await rig.send(api, 'killed')
    for (let number = 1; number <= KILLS; number++) {
      await rig.waitForAccepted(before + Math.floor((DEVICES * number) / (KILLS + 2)))
      const victim = workers.shift()
      if (victim) await rig.end(victim, 'kill')
      workers.push(await rig.startServer('worker'))
    }
    expectReport(await rig.readReport(api, 'killed', WAIT))
    await waitForRows('killed')
    // A clean stop passes on the rows of these workers.
    await Promise.all(workers.map((worker) => rig.end(worker, 'stop')))
    expectAgreement(await rig.readRows('killed'), rig.readLog('killed'))
    await rig.expectCounts()
  })
})

/** The number of rows of each device. */
function countRows(rows: readonly Row[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { deviceId } of rows) counts.set(deviceId, (counts.get(deviceId) ?? 0) + 1)
  return counts
}
