// A server with simulated providers, and calls of its API for explain_push.
import { randomUUID } from 'node:crypto'
import * as v from 'valibot'
import { expect, vi } from 'vitest'
import { startApnsSimulator } from '../support/apns-simulator.ts'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase } from '../support/database.ts'
import { startFcmSimulator } from '../support/fcm-simulator.ts'

const Answer = v.object({ result: v.record(v.string(), v.unknown()) })
const Explained = v.object({
  items: v.array(
    v.object({
      device_id: v.optional(v.string(), ''),
      reason: v.string(),
      detail: v.optional(v.string(), ''),
      checks: v.array(v.object({ name: v.string(), result: v.string() })),
    }),
  ),
})
const Accepted = v.object({ uid: v.string() })

/** The device or user to explain, as explain_push takes it. */
export interface Who {
  uid: string
  device_id?: string
  user?: string
}

export interface Registered {
  /** The id of the device. */
  device_id: string
  user: string
  /** A topic that only this device has. */
  topic: string
}

export interface ExplainRig {
  server: TestAssembly
  dsn: string
  call(method: string, request: object): Promise<Record<string, unknown>>
  /** Registers a new device. */
  register(device?: {
    provider?: string
    token?: string
    timezone?: string
    user?: string
    meta?: Record<string, string>
  }): Promise<Registered>
  /** Accepts a send to a topic, and resolves to its uid. */
  send(topic: string, request?: { notification?: object } & Record<string, unknown>): Promise<string>
  explain(who: Who): Promise<v.InferOutput<typeof Explained>['items']>
  /** Resolves when the first device of the query has this reason. @throws with the last answer otherwise */
  expectReason(who: Who, reason: string, detail?: RegExp): Promise<void>
  stop(): Promise<void>
}

const MESSAGE = { fcm: { message: { notification: { title: 'Hello' } } } }

/** Starts the servers. `section` is added to the configuration of pushes. */
export async function startExplainRig(options: Parameters<typeof startAssembly>[1] = {}): Promise<ExplainRig> {
  const [database, fcm, apns] = await Promise.all([createTestDatabase(), startFcmSimulator(), startApnsSimulator()])
  const { origin, files } = fcm.simulator
  const server = await startAssembly(database.dsn, {
    ...options,
    push_notifications: {
      fcm: { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin },
      apns: {
        endpoint: apns.simulator.origin,
        bundle_id: apns.simulator.account.bundleId,
        auth_type: 'token',
        token_key_file: apns.simulator.files.tokenKey,
        token_key_id: apns.simulator.account.keyId,
        token_team_id: apns.simulator.account.teamId,
        ca_file: apns.simulator.files.ca,
      },
      ...options.push_notifications,
    },
  })
  const call = async (method: string, request: object) => {
    const answer: unknown = await (await server.post(`/${method}`, request)).json()
    return v.parse(Answer, answer).result
  }
  const explain = async (who: Who) => v.parse(Explained, await call('explain_push', who)).items
  return {
    server,
    dsn: database.dsn,
    call,
    explain,
    async register({ provider = 'fcm', token = randomUUID(), timezone = '', user = randomUUID(), meta = {} } = {}) {
      const topic = randomUUID()
      const platform = provider === 'apns' ? 'ios' : 'android'
      const device = { provider, token, platform, user, timezone, meta, topics: [topic] }
      const { id } = v.parse(v.object({ id: v.string() }), await call('device_register', device))
      return { device_id: id, user, topic }
    },
    async send(topic, { notification = {}, ...request } = {}) {
      const { uid } = v.parse(
        Accepted,
        await call('send_push_notification', {
          recipient: { filter: { topics: [topic] } },
          notification: { ...MESSAGE, ...notification },
          ...request,
        }),
      )
      return uid
    },
    async expectReason(who, reason, detail = /^/) {
      await vi.waitFor(
        async () => {
          const [first] = await explain(who)
          expect(first).toMatchObject({ reason, detail: expect.stringMatching(detail) })
        },
        { timeout: 30_000, interval: 50 },
      )
    },
    async stop() {
      await server.stop(0)
      await Promise.all([fcm.stop(), apns.stop()])
      await database.drop()
    },
  }
}
