import type { Logger } from 'pino'
import { type Assembly, assemble } from '../../src/assemble.ts'
import { parseConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { makeTestLogger, noteSecrets } from './run-log.ts'

/** The API key of the server. */
export const TEST_KEY = 'test-key'

/** A server in the test's process. */
export interface TestAssembly extends Assembly {
  /** Base URL of the external port. */
  url: string
  /** Posts to the API. A string is sent unchanged, an object as JSON. */
  post(path: string, body: string | Uint8Array | object, headers?: Record<string, string>): Promise<Response>
}

/** The sections of a configuration, and `data_dir`. */
type TestOptions = { [Section in keyof Config]?: Section extends 'data_dir' ? string : object }

/** Starts the whole server in this process, on a free port and the database of `dsn`. `options` configure it. */
export async function startAssembly(
  dsn: string,
  options: TestOptions = {},
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
