import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedisServer } from './redis-server.ts'
import { waitForPort } from './wait-for-port.ts'

/** A Redis server of its own for a test. */
export interface RedisInstance {
  /** The directory of its files and of its socket `redis.sock`. */
  directory: string
  /** Ends it and keeps its files. */
  end(): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

/**
 * Starts a server. Resolves when it listens on `port`.
 * @param options of redis-server, in pairs of name and value
 * @param files the directory of an ended server, which this one continues
 */
export async function startRedis(port: number, options: readonly string[], files?: string): Promise<RedisInstance> {
  const directory = files ?? (await mkdtemp(join(tmpdir(), 'centripush-redis-')))
  const own = ['--dir', directory, '--unixsocket', join(directory, 'redis.sock'), '--save', '']
  const server = spawn(findRedisServer(), [...own, ...options], { stdio: ['ignore', 'pipe', 'ignore'] })
  await waitForPort(port, server)
  const end = async () => {
    const gone = once(server, 'exit')
    server.kill('SIGTERM')
    await gone
  }
  const stop = async () => {
    await end()
    await rm(directory, { recursive: true, force: true })
  }
  return { directory, end, stop }
}
