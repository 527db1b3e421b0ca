// The servers, stores and devices of a broadcast whose report is checked.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, vi } from 'vitest'
import { formatDeviceId } from '../../src/devices/device-id.ts'
import { type CentripushProcess, startCentripush } from '../support/centripush-process.ts'
import { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { KillableRedis } from '../support/killable-redis.ts'

const API_KEY = 'an-api-key'
const LEASE_MS = 1500
/** Devices that one statement stores. */
const STORED_TOGETHER = 50_000

const Reply = v.object({
  result: v.looseObject({ state: v.string(), failures: v.optional(v.array(v.looseObject({}))) }),
})

/** A row of analytics: the final event of a device. */
export interface Row {
  deviceId: string
  /** The status and the code. */
  ending: string
}

interface Parts {
  database: TestDatabase
  fcm: TestFcmSimulator
  redis: KillableRedis | undefined
  clickhouse: TestClickhouse | undefined
  dataDir: string
}

/** Servers with a queue on PostgreSQL or Redis, and rows in PostgreSQL or ClickHouse. */
export class ReportedRig {
  /** The token of each device of FCM by its id. */
  readonly tokens = new Map<string, string>()
  /** The ids of the devices of APNs. */
  readonly leftOut = new Set<string>()
  readonly #parts: Parts
  readonly #running = new Set<CentripushProcess>()

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  static async start(options: { hasRedis: boolean; hasClickhouse: boolean }): Promise<ReportedRig> {
    const clickhouse = options.hasClickhouse ? await TestClickhouse.start() : undefined
    await clickhouse?.query('CREATE DATABASE centrifugo')
    return new ReportedRig({
      database: await createTestDatabase(),
      fcm: await startFcmSimulator(),
      redis: options.hasRedis ? await KillableRedis.start() : undefined,
      clickhouse,
      dataDir: await mkdtemp(join(tmpdir(), 'centripush-reported-')),
    })
  }

  async stop(): Promise<void> {
    const { database, fcm, redis, clickhouse, dataDir } = this.#parts
    await Promise.all([...this.#running].map((server) => server.kill()))
    await fcm.stop()
    await redis?.stop()
    await clickhouse?.stop()
    await database.drop()
    await rm(dataDir, { recursive: true, force: true })
  }

  /** The number of pushes that the simulator accepted. */
  get accepted(): number {
    return this.#parts.fcm.simulator.accepted.length
  }

  waitForAccepted(count: number): Promise<void> {
    return this.#parts.fcm.simulator.waitForAccepted(count)
  }

  async startServer(role: 'api' | 'worker'): Promise<CentripushProcess> {
    const { database, fcm, redis, clickhouse, dataDir } = this.#parts
    const { origin, files } = fcm.simulator
    const queue = redis
      ? { type: 'redis' as const, redis: { address: `redis://127.0.0.1:${redis.port}` } }
      : { type: 'postgresql' as const }
    const endpoints = { push_endpoint: origin, auth_endpoint: origin }
    const server = await startCentripush(
      {
        data_dir: dataDir,
        http_api: { key: API_KEY },
        database: { postgresql: { dsn: database.dsn } },
        push_notifications: {
          enabled_providers: ['fcm'],
          queue,
          fcm: { credentials_file: files.credentials, ca_file: files.ca, ...endpoints },
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
    this.#running.add(server)
    return server
  }

  async end(server: CentripushProcess, how: 'stop' | 'kill'): Promise<void> {
    this.#running.delete(server)
    await server[how]()
  }

  /** Sends to all devices. */
  async send(server: CentripushProcess, uid: string): Promise<void> {
    const recipient = { filter: { providers: ['fcm', 'apns'] } }
    const notification = { fcm: { message: { data: { uid } } } }
    const reply = await call(server, 'send_push_notification', { uid, recipient, notification })
    expect(reply).toEqual({ result: { uid } })
  }

  /** The report of a send that has ended. */
  readReport(server: CentripushProcess, uid: string, wait: { timeout: number; interval: number }) {
    return vi.waitFor(async () => {
      const { result } = v.parse(Reply, await call(server, 'push_info', { uid }))
      expect(result.state).toBe('ended')
      return result
    }, wait)
  }

  /** Replaces all devices: a send removes those with dead tokens. */
  async storeDevices(fcm: readonly string[], apns: readonly string[]): Promise<void> {
    this.tokens.clear()
    this.leftOut.clear()
    await this.#parts.database.sql`truncate devices, device_topics`
    for (const { id, token } of await this.#insert(1, 2, fcm)) this.tokens.set(formatDeviceId(id, 'fcm'), token)
    for (const { id } of await this.#insert(3, 1, apns)) this.leftOut.add(formatDeviceId(id, 'apns'))
    await this.#parts.database.sql`analyze devices`
  }

  async #insert(provider: number, platform: number, tokens: readonly string[]) {
    const stored: { id: string; token: string }[] = []
    for (let from = 0; from < tokens.length; from += STORED_TOGETHER) {
      const given = tokens.slice(from, from + STORED_TOGETHER)
      const rows = await this.#parts.database.sql<{ id: string; token: string }[]>`
        insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
        select gen_random_uuid(), now(), now(), now(), ${provider}::int, ${platform}::int, token, 'user of ' || token
        from unnest(${given}::text[]) as given (token)
        returning id, token`
      for (const row of rows) stored.push(row)
    }
    return stored
  }

  /** The rows of a send. */
  async readRows(uid: string): Promise<Row[]> {
    const { clickhouse, database } = this.#parts
    if (clickhouse) {
      const ending = "trimRight(concat(status, ' ', error_code))"
      const from = `centrifugo.notifications WHERE uid = '${uid}'`
      const lines = (await clickhouse.query(`SELECT device_id, ${ending} FROM ${from}`)).split('\n').filter(Boolean)
      return lines.map((line) => {
        const [deviceId = '', ending = ''] = line.split('\t')
        return { deviceId, ending }
      })
    }
    const rows = await database.sql<{ device_id: string; ending: string }[]>`
      select device_id, rtrim(status || ' ' || error_code) as ending from notifications where uid = ${uid}`
    return rows.map(({ device_id, ending }) => ({ deviceId: device_id, ending }))
  }

  /** Checks that the counts by minute in PostgreSQL agree with the rows. With ClickHouse there are none. */
  async expectCounts(): Promise<void> {
    const { sql } = this.#parts.database
    const counted = await sql`
      select provider, status, error_code, sum(count)::int as count from notification_counts group by 1, 2, 3
      order by 1, 2, 3`
    const rows = await sql`
      select provider, status, error_code, count(*)::int as count from notifications group by 1, 2, 3 order by 1, 2, 3`
    expect([...counted]).toEqual([...rows])
  }

  /** The times at which the simulator accepted the pushes of a send, by token. */
  readLog(uid: string): Map<string, number[]> {
    const log = new Map<string, number[]>()
    for (const { target, body, at_ms } of this.#parts.fcm.simulator.accepted) {
      if (!body.includes(`"${uid}"`)) continue
      const times = log.get(target)
      if (times) times.push(at_ms)
      else log.set(target, [at_ms])
    }
    return log
  }
}

async function call(server: CentripushProcess, method: string, params: object): Promise<unknown> {
  const headers = { 'x-api-key': API_KEY }
  const body = JSON.stringify(params)
  return (await fetch(`${server.url}/api/${method}`, { method: 'POST', headers, body })).json()
}
