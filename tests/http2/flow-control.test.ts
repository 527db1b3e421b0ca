// Flow control of sent bodies with random windows: every body arrives complete, and no window is exceeded.
import { expect, it } from 'vitest'
import { fc } from '../support/fast-check.ts'
import { parseFrames, settings, TYPE, windowUpdate } from '../support/http2-frames.ts'
import { startSession } from '../support/test-session.ts'

const INITIAL_WINDOW = 4
const MAX_FRAME = 5

interface Model {
  connectionWindow: number
  initialWindow: number
  maxFrame: number
  /** The received part of each body. */
  received: string[]
  /** Sum of the WINDOW_UPDATE of each stream. */
  granted: number[]
}

/** Reads the written frames as the peer, and checks each one against the windows. */
function receiveFrames(model: Model, written: Buffer): void {
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
    // END_STREAM must appear once.
    model.received[index] += flags & 1 ? '.' : ''
  }
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('connection' as const), by: fc.integer({ min: 1, max: 50_000 }) }),
  fc.record({ kind: fc.constant('stream' as const), index: fc.nat(4), by: fc.integer({ min: 1, max: 50_000 }) }),
  fc.record({ kind: fc.constant('initial' as const), to: fc.nat(70_000) }),
  fc.record({ kind: fc.constant('frame' as const), to: fc.integer({ min: 16_384, max: 40_000 }) }),
)

it('never exceeds a window, and sends every body completely', () => {
  const bodies = fc.array(fc.nat(90_000), { minLength: 5, maxLength: 5 })
  void fc.assert(
    fc.property(bodies, fc.nat(70_000), fc.array(step, { maxLength: 30 }), (lengths, initialWindow, steps) => {
      const texts = lengths.map((length) => 'x'.repeat(length))
      const { session, source } = startSession(5, texts)
      const model: Model = {
        connectionWindow: 65_535,
        initialWindow,
        maxFrame: 16_384,
        received: texts.map(() => ''),
        granted: texts.map(() => 0),
      }
      const receive = (...frames: Buffer[]) => {
        expect(session.receive(Buffer.concat(frames))).toBe(true)
        receiveFrames(model, session.out.take())
      }
      receive(settings([INITIAL_WINDOW, initialWindow]))
      for (let index = 0; index < 5; index++) session.open(source, index, 0)
      receiveFrames(model, session.out.take())
      for (const each of steps) {
        if (each.kind === 'connection') {
          model.connectionWindow += each.by
          receive(windowUpdate(0, each.by))
        } else if (each.kind === 'stream') {
          model.granted[each.index] = (model.granted[each.index] ?? 0) + each.by
          receive(windowUpdate(each.index * 2 + 1, each.by))
        } else if (each.kind === 'initial') {
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
    { numRuns: 500 },
  )
})

it('uses every stream id once, then opens no more streams', () => {
  const { session, source } = startSession(3, [], 0x7fff_fffd)
  session.receive(settings())
  expect(session.freeStreams).toBe(2)
  session.open(source, 0, 0)
  session.open(source, 1, 0)
  expect([session.freeStreams, session.isOutOfIds]).toEqual([0, true])
  const ids = parseFrames(session.out.take()).frames.filter(({ type }) => type === TYPE.headers)
  expect(ids.map(({ streamId }) => streamId)).toEqual([0x7fff_fffd, 0x7fff_ffff])
})
