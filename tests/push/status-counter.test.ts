import { expect, test, vi } from 'vitest'
import { StatusCounter } from '../../src/push/status-counter.ts'
import type { StatusCount } from '../../src/queue/report.ts'
import { makeTestLogger } from '../support/run-log.ts'

test('adds up reports, stores them together, and keeps those that could not be stored', async () => {
  const stored: StatusCount[][] = []
  let failures = 1
  const counter = new StatusCounter({
    queue: {
      countStatuses: async (counts) => {
        if (failures-- > 0) throw new Error('the queue is unreachable')
        stored.push([...counts])
      },
    },
    logger: makeTestLogger(),
  })
  counter.add({ uid: 'a', status: 'delivered' })
  counter.add({ uid: 'a', status: 'delivered' })
  await vi.waitFor(() => expect(failures).toBe(0), { timeout: 5000 })
  counter.add({ uid: 'a', status: 'interacted' })
  counter.add({ uid: 'b', status: 'interacted' })
  await counter.stop()
  expect(stored).toEqual([
    [
      { uid: 'a', delivered: 2, interacted: 1 },
      { uid: 'b', delivered: 0, interacted: 1 },
    ],
  ])
})
