// A whole server with the FCM simulator, and the calls of its clients: as the RPC proxy of a node makes them, over HTTP
// with a connection JWT, and as servers.
import { SignJWT } from 'jose'
import { afterAll, beforeAll } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import type { TestFcmSimulator } from '../support/fcm-simulator.ts'
import { startFcmSimulator } from '../support/fcm-simulator.ts'
import { noteSecrets } from '../support/run-log.ts'

export const PROXY_KEY = 'key-of-the-proxy'
export const JWT_SECRET = 'secret-of-the-connection-tokens'

type Options = NonNullable<Parameters<typeof startAssembly>[1]>

interface Parts {
  database: TestDatabase
  fcm: TestFcmSimulator
  server: TestAssembly
}

/** A connection JWT. Without `exp` it does not expire. */
export function signToken(claims: Record<string, unknown>, secret = JWT_SECRET): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret))
}

/** One server for all tests of a file. */
export class RealtimeRig {
  #parts: Parts | undefined

  /** @param options of the server; a function gets the parts before its start */
  constructor(options: () => Promise<Options> | Options = () => ({})) {
    beforeAll(async () => {
      noteSecrets([PROXY_KEY, JWT_SECRET])
      const [database, fcm, given] = await Promise.all([createTestDatabase(), startFcmSimulator(), options()])
      const { origin, files } = fcm.simulator
      const credentials = { credentials_file: files.credentials, ca_file: files.ca }
      const server = await startAssembly(database.dsn, {
        rpc_proxy: { key: PROXY_KEY },
        client: { allowed_origins: ['https://*.example.com'], token: { hmac_secret_key: JWT_SECRET } },
        ...given,
        client_push: { http_enabled: true, ...given.client_push },
        push_notifications: {
          fcm: { ...credentials, push_endpoint: origin, auth_endpoint: origin },
          ...given.push_notifications,
        },
      })
      this.#parts = { database, fcm, server }
    })
    afterAll(async () => {
      const { server, fcm, database } = this.#get()
      await server.stop(0)
      await fcm.stop()
      await database.drop()
    })
  }

  get url(): string {
    return this.#get().server.url
  }

  get fcm(): TestFcmSimulator['simulator'] {
    return this.#get().fcm.simulator
  }

  get database(): TestDatabase {
    return this.#get().database
  }

  /** The targets of accepted pushes since `before`, sorted. */
  targetsSince(before: number): string[] {
    return this.fcm.accepted
      .slice(before)
      .map(({ target }) => target)
      .toSorted()
  }

  /** A call of a server. */
  async api(method: string, body: object | string): Promise<unknown> {
    return (await this.#get().server.post(`/${method}`, body)).json()
  }

  /** A call of a client, as the RPC proxy of a node passes it on. */
  async rpc(user: string, method: string, data?: unknown): Promise<unknown> {
    const request = { client: 'c', transport: 'websocket', protocol: 'json', encoding: 'json', user, method, data }
    const answer = await this.proxy(JSON.stringify(request))
    if (answer.status !== 200) throw new Error(`the status is ${answer.status}`)
    return answer.json()
  }

  /** A request to the proxy endpoint. */
  proxy(body: string, headers: Record<string, string> = { 'x-centripush-proxy-key': PROXY_KEY }): Promise<Response> {
    return fetch(`${this.url}/proxy/rpc`, { method: 'POST', headers, body })
  }

  /** A call of a client over HTTP. */
  http(method: string, token: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}/push/${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  }

  /** Registers an Android device of a user; returns its id. */
  async register(user: string, token: string, more: object = {}): Promise<string> {
    const answer = await this.api('device_register', { provider: 'fcm', platform: 'android', token, user, ...more })
    return readId(answer)
  }

  #get(): Parts {
    if (!this.#parts) throw new Error('the rig is open within a test only')
    return this.#parts
  }
}

/** The `id` in the result of a registration. */
export function readId(answer: unknown): string {
  const id = /"id":"([^"]+)"/.exec(JSON.stringify(answer))?.[1]
  if (id === undefined) throw new Error(`no id in ${JSON.stringify(answer)}`)
  return id
}

/** The error of an answer to a client. */
export function clientError(code: number, message: string, isTemporary = false): object {
  return { error: { code, message, ...(isTemporary && { temporary: true }) } }
}
