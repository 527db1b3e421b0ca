import { expect, test } from 'vitest'
import { makeTurns } from './turns.ts'

test('runs one work at a time, in the order of the calls, also after a failure', async () => {
  const inTurn = makeTurns()
  const events: string[] = []
  const run = (name: string) =>
    inTurn(async () => {
      events.push(`${name} begins`)
      await new Promise(setImmediate)
      events.push(`${name} ends`)
      if (name === 'first') throw new Error(name)
    })
  const results = await Promise.allSettled([run('first'), run('second')])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  expect(events).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
})
