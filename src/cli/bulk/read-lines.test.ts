import { expect, test } from 'vitest'
import { fc } from '../../../tests/support/fast-check.ts'
import { type Line, readLines } from './read-lines.ts'

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function readAll(bytes: Buffer, size: number, start = { offset: 0, line: 0 }): Promise<Line[]> {
  const lines: Line[] = []
  for await (const line of readLines(cut(bytes.subarray(start.offset), size), start)) lines.push(line)
  return lines
}

test('lines are whole wherever the chunks are cut, and reading can continue behind each of them', async () => {
  const text = fc.array(fc.oneof(fc.constantFrom('', ' ', '\r', '{"ü":"😀"}\r'), fc.string()), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (parts, size) => {
      const bytes = Buffer.from(parts.join('\n'))
      const written = bytes.toString().split('\n')
      const lines = await readAll(bytes, size)
      expect(lines.map(({ number, bytes: line }) => [number, line?.toString()])).toEqual(
        [...written.entries()].map(([index, line]) => [index + 1, line]).filter(([, line]) => !isBlank(String(line))),
      )
      for (const [index, { number, endOffset }] of lines.entries()) {
        expect(await readAll(bytes, size, { offset: endOffset, line: number })).toEqual(lines.slice(index + 1))
      }
    }),
  )
})

function isBlank(line: string): boolean {
  return Buffer.from(line).toString('latin1').trim() === ''
}

test('a line that is too long is skipped, and the next line is read', async () => {
  const bytes = Buffer.concat([Buffer.alloc(3 * 1024 * 1024, 'x'), Buffer.from('\n{}')])
  const lines = await readAll(bytes, 65_536)
  expect(lines).toMatchObject([
    { number: 1, bytes: undefined },
    { number: 2, bytes: Buffer.from('{}') },
  ])
})
