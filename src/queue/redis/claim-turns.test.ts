import { expect, test } from 'vitest'
import { ClaimTurns } from './claim-turns.ts'

const onLate = () => {}

/** Asks partitions with these numbers of items. */
function makeAsk(waiting: number[], asked: number[] = []) {
  return async (partition: number, limit: number) => {
    asked.push(partition)
    const count = Math.min(limit, waiting[partition] ?? 0)
    waiting[partition] = (waiting[partition] ?? 0) - count
    return Array.from({ length: count }, () => partition)
  }
}

test('a partition with much work does not delay a small one', async () => {
  const turns = new ClaimTurns<number>({ count: 3, onLate })
  const waiting = [100_000, 0, 0]
  expect(await turns.claim(5, makeAsk(waiting))).toEqual([0, 0, 0, 0, 0])
  waiting[2] = 1
  turns.announce(2)
  turns.announce(0)
  const next = [...(await turns.claim(5, makeAsk(waiting))), ...(await turns.claim(5, makeAsk(waiting)))]
  expect(next).toContain(2)
})

test('only partitions with announced work are asked between two rounds', async () => {
  const turns = new ClaimTurns<number>({ count: 16, maxSilenceMs: 3_600_000, onLate })
  await turns.claim(64, makeAsk([]))
  const asked: number[] = []
  await turns.claim(64, makeAsk([], asked))
  turns.announce(7)
  await turns.claim(64, makeAsk([], asked))
  expect(asked).toEqual([7])
})

test('the error of a partition does not lose the items of another one', async () => {
  const turns = new ClaimTurns<number>({ count: 2, onLate })
  const ask = async (partition: number) => {
    if (partition === 0) throw new Error('no answer')
    return [partition]
  }
  expect(await turns.claim(64, ask)).toEqual([1])
})
