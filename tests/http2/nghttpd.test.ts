// Interoperability with nghttpd, if it is installed.
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ANSWER, type Sink, startNghttpd } from '../../bench/peers/nghttpd.ts'
import { Http2Pool } from '../../src/http2/http2-pool.ts'
import { makeTestLogger } from '../support/run-log.ts'

const isInstalled = spawnSync('nghttpd', ['--version']).status === 0

describe.skipIf(!isInstalled)('with nghttpd', () => {
  let sink: Sink
  beforeAll(async () => {
    sink = await startNghttpd()
  })
  afterAll(() => sink.stop())

  it.each([1, 4])('every request of %i connections has its own answer', async (maxConnections) => {
    const logger = makeTestLogger()
    const pool = new Http2Pool({ origin: sink.origin, ca: sink.ca, maxConnections, logger })
    const count = 5000
    const statuses: number[] = Array.from({ length: count }, () => 0)
    const isKnown = (index: number) => index % 3 > 0
    await pool.send({
      count,
      path: (index) => (isKnown(index) ? `/send?${index}` : `/unknown-${index}`),
      headers: { authorization: 'bearer x' },
      writeBody: (index, body) => body.text('x'.repeat(index)),
      answerHeaders: ['content-type'],
      signal: new AbortController().signal,
      onAnswer: (index, answer) => {
        statuses[index] = answer.status
        if (isKnown(index)) expect(answer.bodyText()).toBe(ANSWER)
      },
      onFailure: (_, error) => {
        throw error
      },
    })
    expect(statuses).toEqual(statuses.map((_, index) => (isKnown(index) ? 200 : 404)))
    await pool.close()
  })
})
