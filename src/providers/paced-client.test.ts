import { describe, expect, it } from 'vitest'
import type { Http2Answer, Http2Batch, Http2Client } from '../http2/http2-client.ts'
import { Http2Error } from '../http2/http2-error.ts'
import { PacedClient } from './paced-client.ts'

/** A service whose answers the test gives. */
class Service implements Http2Client {
  readonly open: ((status: number) => void)[] = []
  isClosed = false
  readonly paths: string[] = []

  async send(batch: Http2Batch): Promise<void> {
    const settled = Array.from({ length: batch.count }, (_, index) => this.#take(batch, index))
    await Promise.all(settled)
  }

  request(): never {
    throw new Error('not used')
  }

  async close(): Promise<void> {
    this.isClosed = true
  }

  /** Answers what is open by now. */
  async answerAll(status: number): Promise<number> {
    const open = this.open.splice(0)
    for (const answer of open) answer(status)
    await new Promise(setImmediate)
    return open.length
  }

  #take(batch: Http2Batch, index: number): Promise<void> {
    if (batch.signal.aborted || this.isClosed) {
      const kind = batch.signal.aborted ? 'aborted' : 'unsent'
      batch.onFailure(index, new Http2Error(kind, kind === 'aborted' ? 'aborted' : 'closed'))
      return Promise.resolve()
    }
    this.paths.push(typeof batch.path === 'function' ? batch.path(index) : batch.path)
    return new Promise((resolve) => {
      this.open.push((status) => {
        batch.onAnswer(index, answerOf(status))
        resolve()
      })
    })
  }
}

function answerOf(status: number): Http2Answer {
  return { status, header: () => undefined, bodyLength: 0, bodyText: () => '', bodyBytes: () => Buffer.alloc(0) }
}

function setUp(maxInFlight: number) {
  const service = new Service()
  const client = new PacedClient({ client: service, maxInFlight, isBusy: (status) => status === 429 })
  const settled: (number | string)[] = []
  const send = (count: number, signal = new AbortController().signal) =>
    client.send({
      count,
      path: (index) => `/${index}`,
      headers: {},
      signal,
      onAnswer: (index, { status }) => {
        settled[index] = status
      },
      onFailure: (index, { code }) => {
        settled[index] = code
      },
    })
  return { service, client, settled, send }
}

describe('a paced client', () => {
  it('opens no more requests than its limit, and the others as there is room', async () => {
    const { service, settled, send } = setUp(10)
    const sending = send(25)
    await new Promise(setImmediate)
    expect([await service.answerAll(201), await service.answerAll(201), await service.answerAll(201)]).toEqual([
      10, 10, 5,
    ])
    await sending
    expect(settled).toEqual(new Array(25).fill(201))
    expect(service.paths).toEqual(Array.from({ length: 25 }, (_, index) => `/${index}`))
  })

  it('halves its limit once for all that were in flight together, down to one', async () => {
    const { service, client, send } = setUp(16)
    const sending = send(100)
    await new Promise(setImmediate)
    const counts: number[] = []
    for (let round = 0; round < 7; round++) counts.push(await service.answerAll(429))
    expect(counts).toEqual([16, 8, 4, 2, 1, 1, 1])
    expect(client.limit).toBe(1)
    while (service.open.length > 0) await service.answerAll(201)
    await sending
  })

  it('grows back by one for each round of good answers, up to where it was', async () => {
    const { service, client, send } = setUp(8)
    const sending = send(400)
    await new Promise(setImmediate)
    for (let round = 0; round < 3; round++) await service.answerAll(429)
    const limits: number[] = []
    while (service.open.length > 0) {
      limits.push(client.limit)
      await service.answerAll(201)
    }
    await sending
    expect(limits.slice(0, 2)).toEqual([1, 2])
    for (const [index, limit] of limits.entries()) expect(limit - (limits[index - 1] ?? limit)).toBeLessThanOrEqual(1)
    expect(client.limit).toBe(8)
  })

  it('settles what waits when the signal aborts, and when it is closed', async () => {
    const { service, client, settled, send } = setUp(2)
    const abort = new AbortController()
    const sending = send(4, abort.signal)
    await new Promise(setImmediate)
    abort.abort()
    await new Promise(setImmediate)
    expect(settled.slice(2)).toEqual(['aborted', 'aborted'])
    await service.answerAll(201)
    await sending
    const late = send(4)
    await new Promise(setImmediate)
    await client.close()
    await new Promise(setImmediate)
    expect(settled.slice(2)).toEqual(['closed', 'closed'])
    await service.answerAll(201)
    await late
  })
})
