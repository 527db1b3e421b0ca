// Requests that are queued during a broadcast.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Http2Pool } from '../../src/http2/http2-pool.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { SimulatorServer } from '../../src/simulators/simulator-server.ts'
import { makeTestLogger } from '../support/run-log.ts'

let server: SimulatorServer
let pool: Http2Pool
const paths: string[] = []

beforeEach(async () => {
  const { caCert, cert, key } = await makeCertificates()
  const handle = ({ path }: { path: string }) => {
    paths.push(path)
    return { answer: { status: 200, headers: {}, body: '' } }
  }
  server = new SimulatorServer({ cert, key, maxConcurrentStreams: 10, slowMs: 0, handle })
  await server.listen(0)
  const logger = makeTestLogger()
  pool = new Http2Pool({ origin: server.origin, ca: caCert, maxConnections: 1, logger })
})
afterEach(async () => {
  await pool.close()
  await server.stop()
})

function send(path: string, count: number): Promise<void> {
  return pool.send({
    count,
    path,
    headers: {},
    signal: new AbortController().signal,
    onAnswer: () => undefined,
    onFailure: (_, error) => {
      throw error
    },
  })
}

it('a single request is sent between the requests of a broadcast', async () => {
  await Promise.all([send('/broadcast', 2000), send('/single', 1)])
  expect(paths).toHaveLength(2001)
  // After one turn of the broadcast, and the requests in flight.
  expect(paths.indexOf('/single')).toBeLessThanOrEqual(16 + 10)
})
