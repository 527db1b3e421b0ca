// A broadcast to devices of which the provider refuses some, and answers others only at the second attempt. The report
// of the send, the rows of analytics and the log of the simulator agree target by target, also after kills of workers.
// CENTRIPUSH_TEST_BROADCAST=1000000 sets the number of devices.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { formatDeviceId } from '../../src/devices/device-id.ts'
import { type CentripushProcess, startCentripush } from '../support/centripush-process.ts'
import { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { findClickhouse } from '../support/clickhouse/program.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { KillableRedis } from '../support/killable-redis.ts'

const DEVICES = Number(process.env.CENTRIPUSH_TEST_BROADCAST ?? 4000)
/** Devices of APNs, for which the send has no notification: one for each hundred of FCM. */
const LEFT_OUT = Math.ceil(DEVICES / 100)
/** Starting processes takes most of the time of a small run. */
const KILLS = DEVICES > 10_000 ? 3 : 1
const API_KEY = 'an-api-key'
const TIMEOUT_MS = Math.max(90_000, DEVICES * 2)
const WAIT = { timeout: TIMEOUT_MS, interval: 100 }
const LEASE_MS = 1500
/** A killed worker loses the rows that it has not passed on: those of this time before the kill. */
const ROWS_IN_MEMORY_MS = 3000

/** The code with which FCM refuses the tokens that begin with a word. */
const REFUSALS: Record<string, string> = { unregistered: 'UNREGISTERED', invalid: 'INVALID_ARGUMENT' }
/** The beginnings of tokens: refused, then answered at the second attempt only, then accepted and not answered. */
const WORDS = ['unregistered', 'invalid', 'unavailable-once', 'internal-once', 'refuse-once', 'reset-once']

const Report = v.object({
  result: v.looseObject({ state: v.string(), failures: v.optional(v.array(v.looseObject({}))) }),
})

/** A row of analytics: the final event of a device. */
interface Row {
  deviceId: string
  ending: string
}

function tokenOf(number: number): string {
  return `${WORDS[number % 100] ?? 'device'}-${number}`
}

/** What has to become of the device with a token. */
function endingOf(token: string): string {
  const code = REFUSALS[token.split('-', 1)[0] ?? '']
  return code === undefined ? 'sent' : `failed ${code}`
}

const hasClickhouse = !('missing' in findClickhouse())

describe.each([
  ['PostgreSQL', hasClickhouse ? 'ClickHouse' : 'PostgreSQL'],
  ['Redis', 'PostgreSQL'],
])('a broadcast through the queue on %s, with rows in %s', (queueName, rowsName) => {
  let database: TestDatabase
  let fcm: TestFcmSimulator
  let redis: KillableRedis | undefined
  let clickhouse: TestClickhouse | undefined
  let dataDir: string
  /** The token of each device by its id. */
  const tokens = new Map<string, string>()
  const leftOut = new Set<string>()
  const running = new Set<CentripushProcess>()
  let api: CentripushProcess
  const workers: CentripushProcess[] = []

  beforeAll(async () => {
    database = await createTestDatabase()
    fcm = await startFcmSimulator()
    dataDir = await mkdtemp(join(tmpdir(), 'centripush-reported-'))
    if (queueName === 'Redis') redis = await KillableRedis.start()
    if (rowsName === 'ClickHouse') {
      clickhouse = await TestClickhouse.start()
      await clickhouse.query('CREATE DATABASE centrifugo')
    }
    api = await start('api')
    workers.push(...(await Promise.all([start('worker'), start('worker')])))
  })
  afterAll(async () => {
    await Promise.all([...running].map((server) => server.kill()))
    await fcm.stop()
    await redis?.stop()
    await clickhouse?.stop()
    await database.drop()
    await rm(dataDir, { recursive: true, force: true })
  })

  const start = async (role: 'api' | 'worker') => {
    const { origin, files } = fcm.simulator
    const address = redis && { address: `redis://127.0.0.1:${redis.port}` }
    const server = await startCentripush(
      {
        data_dir: dataDir,
        http_api: { key: API_KEY },
        database: { postgresql: { dsn: database.dsn } },
        push_notifications: {
          enabled_providers: ['fcm'],
          queue: { type: redis ? 'redis' : 'postgresql', ...(address && { redis: address }) },
          fcm: {
            credentials_file: files.credentials,
            ca_file: files.ca,
            push_endpoint: origin,
            auth_endpoint: origin,
          },
        },
        worker: { lease: `${LEASE_MS}ms`, heartbeat: '300ms', retry_scale: 0.02, removal_breaker: false },
        postgresql_analytics: { rows: 'all' },
        ...(clickhouse && {
          clickhouse_analytics: {
            enabled: true,
            clickhouse_dsn: [clickhouse.url],
            clickhouse_database: 'centrifugo',
            export: { notifications: { enabled: true, flush_interval: '1s' } },
          },
        }),
      },
      { role },
    )
    running.add(server)
    return server
  }
  const kill = async (server: CentripushProcess) => {
    running.delete(server)
    await server.kill()
  }
  const call = async (server: CentripushProcess, method: string, params: object): Promise<unknown> => {
    const headers = { 'x-api-key': API_KEY }
    const body = JSON.stringify(params)
    return (await fetch(`${server.url}/api/${method}`, { method: 'POST', headers, body })).json()
  }

  /** Stores the devices again: those with dead tokens are removed by a send. */
  const storeDevices = async () => {
    tokens.clear()
    leftOut.clear()
    const { sql } = database
    await sql`truncate devices, device_topics`
    const given = Array.from({ length: DEVICES }, (_, number) => tokenOf(number))
    const others = Array.from({ length: LEFT_OUT }, (_, number) => `apns-${number}`)
    for (const [provider, platform, list] of [
      [1, 2, given],
      [3, 1, others],
    ] as const) {
      for (let from = 0; from < list.length; from += 50_000) {
        const rows = await sql<{ id: string; token: string }[]>`
          insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
          select gen_random_uuid(), now(), now(), now(), ${provider}::int, ${platform}::int, token, 'user of ' || token
          from unnest(${list.slice(from, from + 50_000)}::text[]) as given (token)
          returning id, token`
        for (const { id, token } of rows) {
          if (provider === 1) tokens.set(formatDeviceId(id, 'fcm'), token)
          else leftOut.add(formatDeviceId(id, 'apns'))
        }
      }
    }
    await sql`analyze devices`
  }

  /** Sends to all devices. */
  const send = async (server: CentripushProcess, uid: string) => {
    const recipient = { filter: { providers: ['fcm', 'apns'] } }
    const notification = { fcm: { message: { data: { uid } } } }
    expect(await call(server, 'send_push_notification', { uid, recipient, notification })).toEqual({ result: { uid } })
  }

  /** The report of a send that has ended. */
  const readReport = async (server: CentripushProcess, uid: string) =>
    await vi.waitFor(async () => {
      const { result } = v.parse(Report, await call(server, 'push_info', { uid }))
      expect(result.state).toBe('ended')
      return result
    }, WAIT)

  const readRows = async (uid: string): Promise<Row[]> => {
    if (clickhouse) {
      const text = await clickhouse.query(
        `SELECT device_id, trimRight(concat(status, ' ', error_code)) FROM centrifugo.notifications WHERE uid = '${uid}'`,
      )
      return text.split('\n').flatMap((line) => {
        const [deviceId = '', ending = ''] = line.split('\t')
        return line === '' ? [] : [{ deviceId, ending }]
      })
    }
    const rows = await database.sql<{ device_id: string; ending: string }[]>`
      select device_id, rtrim(status || ' ' || error_code) as ending from notifications where uid = ${uid}`
    return rows.map(({ device_id, ending }) => ({ deviceId: device_id, ending }))
  }

  /** The times at which the simulator accepted the pushes of a send, by token. */
  const readLog = (uid: string): Map<string, number[]> => {
    const log = new Map<string, number[]>()
    for (const { target, body, at_ms } of fcm.simulator.accepted) {
      if (body.includes(`"${uid}"`)) log.set(target, [...(log.get(target) ?? []), at_ms])
    }
    return log
  }

  /** The counts that the report has to have, from the tokens. */
  const expectReport = (result: object) => {
    const endings = [...tokens.values()].map(endingOf)
    const count = (ending: string) => endings.filter((each) => each === ending).length
    expect(result).toMatchObject({
      targets: DEVICES + LEFT_OUT,
      sent: count('sent'),
      failed: count('failed UNREGISTERED') + count('failed INVALID_ARGUMENT'),
      dropped: LEFT_OUT,
      left_out: [{ provider: 'apns', reason: 'no_notification', count: LEFT_OUT }],
    })
    expect(result).not.toHaveProperty('retrying')
    expect(result).not.toHaveProperty('waiting')
    expect('failures' in result && result.failures).toEqual(
      expect.arrayContaining([
        { provider: 'fcm', error_code: 'UNREGISTERED', count: count('failed UNREGISTERED') },
        { provider: 'fcm', error_code: 'INVALID_ARGUMENT', count: count('failed INVALID_ARGUMENT') },
      ]),
    )
  }

  /** Checks that the log has the accepted tokens and no others, and that each row has the ending of its device. */
  const expectAgreement = (rows: readonly Row[], log: ReadonlyMap<string, number[]>) => {
    const accepted = [...tokens.values()].filter((token) => endingOf(token) === 'sent')
    expect(new Set(log.keys())).toEqual(new Set(accepted))
    const wrong = rows.filter(({ deviceId, ending }) => {
      const token = tokens.get(deviceId)
      return ending !== (token === undefined ? 'dropped no_notification' : endingOf(token))
    })
    expect(wrong).toEqual([])
    const found = new Set(rows.map(({ deviceId }) => deviceId))
    expect(rows).toHaveLength(found.size)
    return [...tokens.keys(), ...leftOut].filter((deviceId) => !found.has(deviceId))
  }

  test('is reported exactly, and has one row for each device', { timeout: TIMEOUT_MS }, async () => {
    await storeDevices()
    await send(api, 'quiet')
    expectReport(await readReport(api, 'quiet'))
    const expected = DEVICES + LEFT_OUT
    await vi.waitFor(async () => expect(await readRows('quiet')).toHaveLength(expected), WAIT)
    expect(expectAgreement(await readRows('quiet'), readLog('quiet'))).toEqual([])
  })

  test('is reported exactly after kills of its workers, which lose their last rows', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await storeDevices()
    const before = fcm.simulator.accepted.length
    await send(api, 'killed')
    const killedAtMs: number[] = []
    for (let number = 1; number <= KILLS; number++) {
      await fcm.simulator.waitForAccepted(before + Math.floor((DEVICES * number) / (KILLS + 2)))
      const victim = workers.shift()
      if (victim) await kill(victim)
      killedAtMs.push(Date.now())
      workers.push(await start('worker'))
    }
    expectReport(await readReport(api, 'killed'))
    // A clean stop passes on the rows of these workers.
    await Promise.all(workers.map((each) => each.stop().then(() => running.delete(each))))
    const log = readLog('killed')
    const missing = expectAgreement(await readRows('killed'), log)
    const isLost = (atMs: number) => killedAtMs.some((kill) => atMs > kill - ROWS_IN_MEMORY_MS && atMs <= kill)
    for (const deviceId of missing) {
      const times = log.get(tokens.get(deviceId) ?? '')
      // The log does not have the refused pushes.
      if (times) expect(times.some(isLost)).toBe(true)
    }
  })
})
