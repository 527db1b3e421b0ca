import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts', 'compat-tests/**/*.test.ts'],
    globalSetup: ['tests/support/run-leaks.ts', 'tests/support/postgres-server.ts', 'tests/support/redis-server.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two cores: more files at once only make each other late.
    maxWorkers: 2,
  },
})
