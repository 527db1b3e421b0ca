import { expect, test } from 'vitest'
import { makeTestLogger } from '../tests/support/run-log.ts'
import { makeShutdownPhases, StoppedError } from './shutdown-phases.ts'

const never = () => new Promise<void>(() => undefined)

test('work in flight ends before the parts that it depends on, the last of which was opened first', async () => {
  const { onStop, stop } = makeShutdownPhases(makeTestLogger())
  const order: string[] = []
  onStop.close('first', async () => void order.push('first'))
  onStop.close('second', async () => void order.push('second'))
  onStop.drain('work', async () => void order.push('work'))
  await stop(1000)
  expect(order).toEqual(['work', 'second', 'first'])
})

test('parts that hang do not hold up a stop, and the others are stopped', async () => {
  const { onStop, stop } = makeShutdownPhases(makeTestLogger())
  let isClosed = false
  onStop.close('first', async () => {
    isClosed = true
  })
  onStop.close('second', never)
  onStop.drain('work', never)
  await stop(40)
  expect(isClosed).toBe(true)
})

test('a part that a start opens after the stop began is closed, and ends the start', async () => {
  const { onStop, stop } = makeShutdownPhases(makeTestLogger())
  await stop(0)
  let isClosed = false
  const close = async () => {
    isClosed = true
  }
  expect(() => onStop.close('late', close)).toThrow(StoppedError)
  await stop(0)
  expect(isClosed).toBe(true)
})
