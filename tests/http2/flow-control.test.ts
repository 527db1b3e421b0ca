// A peer that opens windows as it likes, against the sending side: bodies arrive whole and no window is overrun.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseFrames, settings, TYPE, windowUpdate } from '../support/http2-frames.ts'
import { startSession } from '../support/session-run.ts'

const INITIAL_WINDOW = 4
const MAX_FRAME = 5

interface Model {
  connectionWindow: number
  initialWindow: number
  maxFrame: number
  /** What has come of each body. */
  received: string[]
  /** Window moves of a stream other than those of the initial window. */
  granted: number[]
}

/** Takes what the session wrote, as a peer that checks every frame. */
function take(model: Model, written: Buffer): void {
  const { frames, length } = parseFrames(written)
  expect(length).toBe(written.length)
  for (const { type, streamId, payload, flags } of frames) {
    if (type !== TYPE.data) continue
    const index = (streamId - 1) / 2
    expect(payload.length).toBeLessThanOrEqual(model.maxFrame)
    model.connectionWindow -= payload.length
    model.received[index] += payload.toString()
    const sent = model.received[index]?.length ?? 0
    expect(model.connectionWindow).toBeGreaterThanOrEqual(0)
    if (payload.length > 0) expect(sent).toBeLessThanOrEqual(model.initialWindow + (model.granted[index] ?? 0))
    // The end of the stream is told once.
    model.received[index] += flags & 1 ? '.' : ''
  }
}

const step = fc.oneof(
  fc.record({ what: fc.constant('connection' as const), by: fc.integer({ min: 1, max: 50_000 }) }),
  fc.record({ what: fc.constant('stream' as const), index: fc.nat(4), by: fc.integer({ min: 1, max: 50_000 }) }),
  fc.record({ what: fc.constant('initial' as const), to: fc.nat(70_000) }),
  fc.record({ what: fc.constant('frame' as const), to: fc.integer({ min: 16_384, max: 40_000 }) }),
)

it('never overruns a window, and sends everything in the end', () => {
  const bodies = fc.array(fc.nat(90_000), { minLength: 5, maxLength: 5 })
  fc.assert(
    fc.property(bodies, fc.nat(70_000), fc.array(step, { maxLength: 30 }), (lengths, initialWindow, steps) => {
      const texts = lengths.map((length) => 'x'.repeat(length))
      const { session, run } = startSession(5, texts)
      const model: Model = {
        connectionWindow: 65_535,
        initialWindow,
        maxFrame: 16_384,
        received: texts.map(() => ''),
        granted: texts.map(() => 0),
      }
      const receive = (...frames: Buffer[]) => {
        expect(session.receive(Buffer.concat(frames))).toBe(true)
        take(model, session.out.take())
      }
      receive(settings([INITIAL_WINDOW, initialWindow]))
      for (let index = 0; index < 5; index++) session.open(run, index, 0)
      take(model, session.out.take())
      for (const each of steps) {
        if (each.what === 'connection') {
          model.connectionWindow += each.by
          receive(windowUpdate(0, each.by))
        } else if (each.what === 'stream') {
          model.granted[each.index] = (model.granted[each.index] ?? 0) + each.by
          receive(windowUpdate(each.index * 2 + 1, each.by))
        } else if (each.what === 'initial') {
          model.initialWindow = each.to
          receive(settings([INITIAL_WINDOW, each.to]))
        } else {
          model.maxFrame = each.to
          receive(settings([MAX_FRAME, each.to]))
        }
      }
      model.initialWindow = 1_000_000
      model.connectionWindow += 1_000_000
      receive(settings([INITIAL_WINDOW, 1_000_000]), windowUpdate(0, 1_000_000))
      expect(model.received).toEqual(texts.map((text) => (text === '' ? '' : `${text}.`)))
    }),
    { seed: 20_261_123, numRuns: 500 },
  )
})

it('uses every stream id once and then no more', () => {
  const { session, run } = startSession(3, [], 0x7fff_fffd)
  session.receive(settings())
  expect(session.freeStreams).toBe(2)
  session.open(run, 0, 0)
  session.open(run, 1, 0)
  expect([session.freeStreams, session.isOutOfIds]).toEqual([0, true])
  const ids = parseFrames(session.out.take()).frames.filter(({ type }) => type === TYPE.headers)
  expect(ids.map(({ streamId }) => streamId)).toEqual([0x7fff_fffd, 0x7fff_ffff])
})
