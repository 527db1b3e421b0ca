import { afterEach, expect, test, vi } from 'vitest'
import { GroupedCalls, type GroupedCallsDeps } from './grouped-calls.ts'

afterEach(() => void vi.useRealTimers())

/** Grouped calls whose groups end when the test says so. */
function makeCalls(options: Partial<GroupedCallsDeps<string, string>> = {}) {
  const groups: { calls: readonly string[]; end(results?: string[]): void; fail(error: Error): void }[] = []
  const grouped = new GroupedCalls<string, string>({
    run: (calls) =>
      new Promise((resolve, reject) => {
        const end = (results = calls.map((call) => `${call}!`)) => resolve(results)
        groups.push({ calls, end, fail: reject })
      }),
    maxTogether: 3,
    ...options,
  })
  return { grouped, groups, started: () => groups.map(({ calls }) => calls.join(' ')) }
}

const turn = () => new Promise(setImmediate)

test('calls of one turn share a group, and those that arrive during a group form the next ones', async () => {
  const { grouped, groups, started } = makeCalls()
  const first = [grouped.add('a'), grouped.add('b')]
  await turn()
  const others = ['c', 'd', 'e', 'f'].map((call) => grouped.add(call))
  await turn()
  expect(started()).toEqual(['a b'])
  groups[0]?.end()
  expect(await Promise.all(first)).toEqual(['a!', 'b!'])
  await turn()
  expect(started()).toEqual(['a b', 'c d e'])
  groups[1]?.end()
  await turn()
  groups[2]?.end()
  expect(await Promise.all(others)).toEqual(['c!', 'd!', 'e!', 'f!'])
})

test('as many groups run at the same time as are allowed', async () => {
  const { grouped, started } = makeCalls({ maxRunning: 2 })
  for (const call of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) void grouped.add(call)
  await turn()
  expect(started()).toEqual(['a b c', 'd e f'])
})

test('calls with the same key run in different groups', async () => {
  const { grouped, groups, started } = makeCalls({ keyOf: ([key = '']) => key })
  for (const call of ['a1', 'a2', 'b1']) void grouped.add(call)
  await turn()
  groups[0]?.end()
  await turn()
  expect(started()).toEqual(['a1 b1', 'a2'])
})

test('groups start at their least interval, apart from full ones, and a lone call at once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
  const { grouped, started } = makeCalls({ maxRunning: 9, minIntervalMs: 5 })
  void grouped.add('lone')
  await turn()
  expect(started()).toEqual(['lone'])
  void grouped.add('a')
  vi.advanceTimersByTime(4)
  void grouped.add('b')
  await turn()
  expect(started()).toEqual(['lone'])
  vi.advanceTimersByTime(1)
  expect(started()).toEqual(['lone', 'a b'])
  for (const call of ['c', 'd', 'e']) void grouped.add(call)
  await turn()
  expect(started()).toEqual(['lone', 'a b', 'c d e'])
})

test('a refused call rejects alone', async () => {
  const { grouped, groups, started } = makeCalls({
    findRefusal: (call) => (call === 'late' ? new Error('too late') : undefined),
  })
  const late = grouped.add('late')
  const good = grouped.add('good')
  await expect(late).rejects.toThrow('too late')
  expect(started()).toEqual(['good'])
  groups[0]?.end()
  expect(await good).toBe('good!')
})

test('a failed group rejects its calls, and the next group runs', async () => {
  const { grouped, groups } = makeCalls()
  const failed = Promise.allSettled([grouped.add('a'), grouped.add('b')])
  await turn()
  const next = grouped.add('c')
  groups[0]?.fail(new Error('unreachable'))
  expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await turn()
  groups[1]?.end()
  expect(await next).toBe('c!')
})

test('a group has calls of a limited size, and a larger call is executed alone', async () => {
  const { grouped, groups, started } = makeCalls({ sizeOf: ({ length }) => length, maxSize: 5 })
  for (const call of ['aa', 'bbb', 'c', 'dddddd', 'e', 'f']) void grouped.add(call)
  for (const group of [0, 1, 2]) {
    await turn()
    groups[group]?.end()
  }
  await turn()
  expect(started()).toEqual(['aa bbb', 'c', 'dddddd', 'e f'])
})

test('a call whose result is an error rejects alone', async () => {
  const grouped = new GroupedCalls<string, string>({
    run: async (calls) => calls.map((call) => (call === 'bad' ? new Error('of this call') : `${call}!`)),
    maxTogether: 3,
  })
  const calls = ['a', 'bad', 'b'].map((call) => grouped.add(call))
  expect(await Promise.allSettled(calls)).toMatchObject([
    { value: 'a!' },
    { status: 'rejected', reason: { message: 'of this call' } },
    { value: 'b!' },
  ])
})

test('after an error that one call may have caused, each call of the group is executed alone', async () => {
  const { grouped, groups, started } = makeCalls({
    mayBeOfOneCall: (error) => error instanceof Error && error.message === 'bad value',
  })
  const [bad, good] = [grouped.add('bad'), grouped.add('good')]
  await turn()
  const later = grouped.add('later')
  groups[0]?.fail(new Error('bad value'))
  await turn()
  expect(started()).toEqual(['bad good', 'bad', 'good', 'later'])
  groups[1]?.fail(new Error('bad value'))
  groups[2]?.end()
  groups[3]?.end()
  await expect(bad).rejects.toThrow('bad value')
  expect(await Promise.all([good, later])).toEqual(['good!', 'later!'])
  expect(groups).toHaveLength(4)
})

test('a call without a result rejects', async () => {
  const { grouped, groups } = makeCalls()
  const both = Promise.allSettled([grouped.add('a'), grouped.add('b')])
  await turn()
  groups[0]?.end(['a!'])
  expect((await both).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
})
