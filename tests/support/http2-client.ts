import type { Http2Client } from '../../src/http2/http2-client.ts'
import { Http2Pool, type Http2PoolOptions } from '../../src/http2/http2-pool.ts'
import { NodeHttp2Client } from './node-http2-client.ts'

/** For promises that can't hold there: tests skip them with the reason. */
export const isOnNodeHttp2 = process.env.CENTRIPUSH_TEST_HTTP2 === 'node'

/**
 * The client that a suite runs on: ours, or with `CENTRIPUSH_TEST_HTTP2=node` one on Node's http2 module, to tell whether a
 * surprise is the client's or the server's.
 */
export function openHttp2Client(options: Http2PoolOptions): Http2Client {
  return isOnNodeHttp2 ? new NodeHttp2Client(options) : new Http2Pool(options)
}
