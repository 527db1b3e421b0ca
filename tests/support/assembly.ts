import type { Logger } from 'pino'
import { type Assembly, assemble } from '../../src/assemble.ts'
import { parseConfig } from '../../src/config/load.ts'
import { makeTestLogger, noteSecrets } from './run-log.ts'

export const TEST_KEY = 'test-key'

export interface TestAssembly extends Assembly {
  /** Base URL of the external port. */
  url: string
  /** Posts to the API; a string goes out as it is. */
  post(path: string, body: string | Uint8Array | object, headers?: Record<string, string>): Promise<Response>
}

/** The whole server in this process, on a free port, with a database of the test's. `options` are Centrifugo's keys. */
export async function startAssembly(
  dsn: string,
  options: Record<string, object> = {},
  logger: Logger = makeTestLogger(),
): Promise<TestAssembly> {
  const config = parseConfig({
    ...options,
    http_server: { address: '127.0.0.1', port: 0, ...options.http_server },
    http_api: { key: TEST_KEY, ...options.http_api },
    database: { postgresql: { dsn }, ...options.database },
    worker: { processes: 1, ...options.worker },
  })
  noteSecrets([config.http_api.key ?? ''])
  const assembly = await assemble({ config, role: 'all', logger })
  const [url = ''] = assembly.urls
  return {
    ...assembly,
    url,
    post: (path, body, headers = {}) =>
      fetch(`${url}/api${path}`, {
        method: 'POST',
        headers: { 'x-api-key': TEST_KEY, ...headers },
        body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      }),
  }
}
