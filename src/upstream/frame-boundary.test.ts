import { expect, test } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import { FrameBoundary } from './frame-boundary.ts'

/** Lengths on both sides of the limits between the forms of a length. */
const LENGTHS = [0, 1, 125, 126, 127, 0xffff, 0x10000]

/** A frame of a server or, with a masking key, of a client. */
function makeFrame(length: number, isMasked: boolean): Buffer {
  const mask = isMasked ? 0x80 : 0
  const header =
    length < 126
      ? Buffer.from([0x82, mask | length])
      : length < 0x10000
        ? Buffer.from([0x82, mask | 126, length >> 8, length & 0xff])
        : Buffer.from([0x82, mask | 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff])
  return Buffer.concat([header, Buffer.alloc(isMasked ? 4 : 0, 0xff), Buffer.alloc(length, 0x7f)])
}

const frames = fc.array(fc.tuple(fc.constantFrom(...LENGTHS), fc.boolean()), { minLength: 1, maxLength: 5 })

test('the boundary is reached exactly after whole frames, however the bytes are cut', () => {
  void fc.assert(
    fc.property(frames, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }), (specs, cuts) => {
      const parts = specs.map(([length, isMasked]) => makeFrame(length, isMasked))
      const bytes = Buffer.concat(parts)
      let sum = 0
      const ends = new Set([0, ...parts.map((part) => (sum += part.length))])
      const positions = [...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].sort((a, b) => a - b)
      const boundary = new FrameBoundary()
      let from = 0
      for (const to of positions) {
        boundary.follow(bytes.subarray(from, to))
        expect(boundary.isReached).toBe(ends.has(to))
        from = to
      }
    }),
  )
})

test('a chunk is followed frame by frame', () => {
  void fc.assert(
    fc.property(frames, (specs) => {
      const parts = specs.map(([length, isMasked]) => makeFrame(length, isMasked))
      const bytes = Buffer.concat(parts)
      const boundary = new FrameBoundary()
      let at = 0
      for (const part of parts) {
        const end = boundary.followFrame(bytes, at)
        expect(end).toBe(at + part.length)
        expect(boundary.isReached).toBe(true)
        at = end
      }
    }),
  )
})

test('a frame that claims 2^63 bytes is never at its end', () => {
  const boundary = new FrameBoundary()
  boundary.follow(Buffer.from([0x82, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255]))
  boundary.follow(Buffer.alloc(100_000))
  expect(boundary.isReached).toBe(false)
})
