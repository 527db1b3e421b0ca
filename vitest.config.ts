import { defineConfig } from 'vitest/config'
import { SlowFirst } from './tests/support/slow-first.ts'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts', 'compat-tests/**/*.test.ts'],
    globalSetup: ['seed', 'run-leaks', 'postgres-server', 'redis-server', 'clickhouse/program'].map(
      (name) => `tests/support/${name}.ts`,
    ),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Tests have time limits: with more files at a time than cores, each of them takes longer.
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
  },
})
