import type { Http2Client } from '../../src/http2/http2-client.ts'
import { Http2Pool } from '../../src/http2/http2-pool.ts'
import type { Http2PoolOptions } from '../../src/http2/http2-pool-options.ts'
import { NodeHttp2Client } from './node-http2-client.ts'

/** Tests skip cases that Node's client does not support. */
export const isOnNodeHttp2 = process.env.CENTRIPUSH_TEST_HTTP2 === 'node'

/**
 * Opens the client under test: `Http2Pool`, or with `CENTRIPUSH_TEST_HTTP2=node` a client on Node's http2 module. An
 * error of both is probably an error of the server.
 */
export function openHttp2Client(options: Http2PoolOptions): Http2Client {
  return isOnNodeHttp2 ? new NodeHttp2Client(options) : new Http2Pool(options)
}
