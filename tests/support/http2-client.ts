import type { Http2Client } from '../../src/http2/http2-client.ts'
import { Http2Pool, type Http2PoolOptions } from '../../src/http2/http2-pool.ts'
import { NodeHttp2Client } from './node-http2-client.ts'

/** Whether the suite runs on Node's http2 module. Tests skip the promises that it cannot keep, with the reason. */
export const isOnNodeHttp2 = process.env.CENTRIPUSH_TEST_HTTP2 === 'node'

/**
 * The client of a suite: the project's, or with `CENTRIPUSH_TEST_HTTP2=node` one on Node's http2 module. A failure with
 * both of them is a mistake of the server or of the test.
 */
export function openHttp2Client(options: Http2PoolOptions): Http2Client {
  return isOnNodeHttp2 ? new NodeHttp2Client(options) : new Http2Pool(options)
}
