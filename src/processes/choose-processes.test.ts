import { expect, test } from 'vitest'
import { chooseProcesses } from './choose-processes.ts'

const GB = 1024 ** 3

test.each([
  [1, 8 * GB, 1],
  [2, 1 * GB, 1],
  [2, 2 * GB, 4],
  [16, 64 * GB, 18],
])('%i cores and %i bytes: %i processes', (cores, memory, processes) => {
  expect(chooseProcesses(cores, memory)).toBe(processes)
})
