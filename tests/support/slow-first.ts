import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The slowest files, by their share of a run's test time. In a new checkout vitest has no durations to sort by. */
const SLOW = [
  'tests/admin/browser.test.ts',
  'tests/cli/simulate.test.ts',
  'tests/queue/postgres-queue.test.ts',
  'tests/database/embedded.test.ts',
  'tests/processes/api-processes.test.ts',
  'tests/delivery/reported-broadcast.test.ts',
  'tests/queue/model.test.ts',
  'tests/devices/concurrency.test.ts',
  'tests/processes/stop.test.ts',
  'tests/push/range-batches.test.ts',
  'tests/cli/import.test.ts',
  'tests/delivery/worker-room.test.ts',
  'tests/queue/redis-queue.test.ts',
  'tests/cli/embedded.test.ts',
  'tests/providers/fcm.test.ts',
  'tests/providers/webpush-server.test.ts',
  'tests/providers/provider-down.test.ts',
  'tests/queue/concurrent-sends.test.ts',
  'tests/deploy/prometheus.test.ts',
  'tests/cli/push.test.ts',
  'compat-tests/sdk/gocent.test.ts',
  'compat-tests/sdk/thousand-devices.test.ts',
  'tests/server/overload.test.ts',
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
