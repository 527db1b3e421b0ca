// A server with the admin web UI and the sandbox providers, and a client that acts as a browser: cookies and forms.
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { noteSecrets } from '../support/run-log.ts'

export const PASSWORD = 'password-of-administrators'
export const VIEWER_PASSWORD = 'password-of-viewers'
export const SECRET = 'secret-of-admin-sessions'

/** A browser without scripts. */
export interface Client {
  /** The cookies that the server has set. */
  cookies: Map<string, string>
  /** Requests a path of the web UI. Redirects are not followed. */
  get(path: string, headers?: Record<string, string>): Promise<Response>
  /** Submits a form from a page of the web UI. */
  post(path: string, fields?: Record<string, string>, headers?: Record<string, string>): Promise<Response>
  /** Logs in with a password. */
  login(password?: string): Promise<Response>
}

export interface AdminRig {
  server: TestAssembly
  database: TestDatabase
  newClient(): Client
  /** A client that has logged in. */
  loggedIn(password?: string): Promise<Client>
  stop(): Promise<void>
}

/** Starts the server. `options` are added to its configuration. */
export async function startAdminRig(options: Parameters<typeof startAssembly>[1] = {}): Promise<AdminRig> {
  const database = await createTestDatabase()
  const server = await startAssembly(database.dsn, {
    ...options,
    admin: {
      enabled: true,
      password: PASSWORD,
      viewer_password: VIEWER_PASSWORD,
      secret: SECRET,
      ...options.admin,
    },
  })
  noteSecrets([PASSWORD, VIEWER_PASSWORD, SECRET])
  const newClient = () => makeClient(`${server.url}/admin`)
  return {
    server,
    database,
    newClient,
    async loggedIn(password = PASSWORD) {
      const client = newClient()
      const answer = await client.login(password)
      if (answer.status !== 303) throw new Error(`not logged in: ${answer.status}`)
      return client
    },
    async stop() {
      await server.stop(0)
      await database.drop()
    },
  }
}

/** Makes a browser for the web UI below `base`. */
export function makeClient(base: string): Client {
  const cookies = new Map<string, string>()
  const send = async (path: string, init: RequestInit) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...(cookie !== '' && { cookie }), ...init.headers }
    const answer = await fetch(`${base}${path}`, { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/max-age=0/i.test(line)) cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }
  const client: Client = {
    cookies,
    get: (path, headers = {}) => send(path, { headers: { accept: 'text/html', ...headers } }),
    post: (path, fields = {}, headers = {}) =>
      send(path, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { 'sec-fetch-site': 'same-origin', ...headers },
      }),
    login: (password = PASSWORD) => client.post('/login', { password }),
  }
  return client
}
