import { configDefaults, defineConfig } from 'vitest/config'
import { SlowFirst } from './tests/support/slow-first.ts'
import { failsRun } from './tests/support/unhandled-errors.ts'

/** Tests of many seconds each: `npm run test:long` runs them (the mode `long`), and `npm test` all others. */
const LONG = '**/*.long.test.ts'

export default defineConfig(({ mode }) => ({
  test: {
    include: mode === 'long' ? [LONG] : ['src/**/*.test.ts', 'tests/**/*.test.ts', 'compat-tests/**/*.test.ts'],
    exclude: mode === 'long' ? configDefaults.exclude : [...configDefaults.exclude, LONG],
    globalSetup: ['seed', 'run-leaks', 'postgres-server', 'redis-server', 'clickhouse/program'].map(
      (name) => `tests/support/${name}.ts`,
    ),
    // A process runs many files, and loads the sources once.
    isolate: false,
    setupFiles: ['tests/support/shared-process.ts'],
    onUnhandledError: failsRun,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most tests wait more than they compute. The long ones start many processes, and some promise times.
    maxWorkers: mode === 'long' ? 2 : 4,
    sequence: { sequencer: SlowFirst },
  },
}))
