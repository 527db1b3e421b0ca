// The client of src/http2, with batches like those of delivery.
import { Http2Pool } from '../../src/http2/http2-pool.ts'
import { makeLogger } from '../../src/observability/log.ts'
import { type Load, measureRate, type Rate } from './load.ts'
import { ANSWER, type Sink } from './nghttpd.ts'

/** Requests of a batch. */
const BATCH = 500

/** The client's rate. `pathOf` gives each request its own path, as with APNs. @throws Error on an unexpected answer */
export async function runCentripush(sink: Sink, load: Load, pathOf?: (index: number) => string): Promise<Rate> {
  const pool = new Http2Pool({
    origin: sink.origin,
    ca: sink.ca,
    maxConnections: load.connections,
    maxStreamsPerConnection: load.streams,
    logger: makeLogger({ level: 'error', file: '' }),
  })
  // The first batches open the connections.
  await sendBatches(pool, { ...load, requests: load.connections * 200 }, pathOf)
  const rate = await measureRate(load.requests, () => sendBatches(pool, load, pathOf))
  await pool.close()
  return rate
}

async function sendBatches(
  pool: Http2Pool,
  load: Load,
  pathOf: ((index: number) => string) | undefined,
): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < load.requests) {
      const first = next
      next += BATCH
      await sendBatch(pool, load, first, Math.min(BATCH, load.requests - first), pathOf)
    }
  }
  const inFlight = Math.ceil((load.connections * load.streams) / BATCH) + 2
  await Promise.all(Array.from({ length: inFlight }, work))
}

function sendBatch(
  pool: Http2Pool,
  load: Load,
  first: number,
  count: number,
  pathOf: ((index: number) => string) | undefined,
): Promise<void> {
  return pool.send({
    count,
    path: pathOf ? (index) => pathOf(first + index) : load.path,
    headers: load.headers,
    writeBody: (index, body) => body.text(load.bodyOf(first + index)),
    answerHeaders: ['retry-after'],
    signal: new AbortController().signal,
    onAnswer: (_, answer) => {
      if (answer.status !== 200 || answer.bodyText() !== ANSWER) throw new Error('unexpected answer')
    },
    onFailure: (_, error) => {
      throw error
    },
  })
}
