// The Redis server of tests.
import { findOrInstall } from './installed-program.ts'

/** The name of the program. As root it installs a missing package. @throws Error that names the package */
export function findRedisServer(): string {
  return findOrInstall(['redis-server', 'valkey-server'], 'redis-server')
}

/** Called by vitest before the first test, so that its processes do not install at the same time. */
export function setup(): void {
  try {
    findRedisServer()
  } catch (error) {
    console.warn(error instanceof Error ? error.message : error)
  }
}
