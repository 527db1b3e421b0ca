import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The slowest files, by their share of a run's test time. In a new checkout vitest has no durations to sort by. */
const SLOW = [
  'tests/admin/browser.test.ts',
  'tests/devices/model.test.ts',
  'tests/delivery/reported-broadcast.test.ts',
  'tests/queue/postgres-queue.test.ts',
  'tests/queue/redis-queue.test.ts',
  'tests/push/range-batches.test.ts',
  'tests/processes/stop.test.ts',
  'tests/cli/import.test.ts',
  'tests/providers/fcm.test.ts',
  'tests/database/embedded.test.ts',
]

/** Starts the slowest files first, so that a run does not end with one of them on a single core. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => placeOf(a) - placeOf(b))
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = SLOW.findIndex((name) => moduleId.endsWith(name))
  return place === -1 ? SLOW.length : place
}
