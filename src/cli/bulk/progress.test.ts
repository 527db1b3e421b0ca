import { expect, test } from 'vitest'
import { Progress } from './progress.ts'

function start(isTTY: boolean) {
  let nowMs = 0
  const output = { isTTY, columns: 60, text: '', write: (text: string) => (output.text += text) }
  const progress = new Progress({ output, noun: 'devices', now: () => nowMs })
  const showAt = (ms: number, state: { count: number; done?: number; total?: number }) => {
    nowMs = ms
    output.text = ''
    progress.show(state)
    return output.text
  }
  return { output, progress, showAt }
}

test('a terminal shows one line that is redrawn, with a bar when the total is known', () => {
  const { output, progress, showAt } = start(true)
  expect(showAt(100, { count: 1000, done: 5, total: 100 })).toBe('')
  expect(showAt(1000, { count: 3000, done: 25, total: 100 })).toBe(
    '\r\x1b[K[######..................] 25 %  3000 devices, 2000/s',
  )
  expect(showAt(1100, { count: 4000, done: 30, total: 100 })).toBe('')
  expect(showAt(2000, { count: 5000 })).toBe('\r\x1b[K5000 devices, 2000/s')
  output.text = ''
  progress.print('line 7: no')
  expect(output.text).toBe('\r\x1b[Kline 7: no\n')
})

test('a line wider than the terminal is cut, so that it can be overwritten', () => {
  const { output, showAt } = start(true)
  output.columns = 20
  expect(showAt(1000, { count: 1, done: 1, total: 2 })).toHaveLength('\r\x1b[K'.length + 19)
})

test('a log gets a whole line every ten seconds', () => {
  const { output, progress, showAt } = start(false)
  expect(showAt(9000, { count: 0 })).toBe('')
  expect(showAt(10_000, { count: 20_000 })).toBe('20000 devices, 2000/s\n')
  expect(showAt(11_000, { count: 30_000 })).toBe('')
  output.text = ''
  progress.end()
  expect(output.text).toBe('')
})
