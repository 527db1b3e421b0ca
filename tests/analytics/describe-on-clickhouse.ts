import { describe } from 'vitest'
import { findClickhouse } from '../support/clickhouse/program.ts'

/** A group of tests on a real ClickHouse. Where there is none, they are skipped, and the name has the reason. */
export function describeOnClickhouse(name: string, tests: () => void): void {
  const found = findClickhouse()
  if ('missing' in found) describe.skip(`${name} (no ClickHouse: ${found.missing})`, tests)
  else describe(name, tests)
}
