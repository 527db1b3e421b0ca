// Redis behind a Sentinel and as a Cluster, with real servers on free ports.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { findFreePort } from './centripush-process.ts'
import { findRedisServer } from './redis-server.ts'

const READY_POLL_MS = 50
const READY_TIMEOUT_MS = 60_000
const CLUSTER_NODES = 3

export interface RedisTopology {
  /** The address for the configuration: the Sentinel, or a node of the Cluster. */
  address: string
  stop(): Promise<void>
}

class Servers {
  readonly #directory: string
  readonly #servers: ChildProcess[] = []

  private constructor(directory: string) {
    this.#directory = directory
  }

  static async make(): Promise<Servers> {
    return new Servers(await mkdtemp(join(tmpdir(), 'centripush-redis-')))
  }

  /** Starts a server. Resolves to its port when it answers. */
  async start(options: string[], configuration?: string): Promise<number> {
    const port = await findFreePort()
    const directory = join(this.#directory, `${port}`)
    await mkdir(directory)
    const file = join(directory, 'redis.conf')
    await writeFile(file, configuration ?? '')
    const all = [file, '--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', '', ...options]
    this.#servers.push(spawn(findRedisServer(), all, { stdio: 'ignore' }))
    await waitUntil(async () => (await ask(port, (redis) => redis.ping())) !== undefined)
    return port
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      if (server.exitCode !== null || server.signalCode !== null) continue
      const gone = once(server, 'exit')
      server.kill('SIGKILL')
      await gone
    }
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Starts a primary, and a Sentinel that monitors it as `name`. */
export async function startSentinel(name: string): Promise<RedisTopology> {
  const servers = await Servers.make()
  const primary = await servers.start(['--appendonly', 'yes'])
  const sentinel = await servers.start(['--sentinel'], `sentinel monitor ${name} 127.0.0.1 ${primary} 1\n`)
  return { address: `127.0.0.1:${sentinel}`, stop: () => servers.stop() }
}

export async function startCluster(): Promise<RedisTopology> {
  const servers = await Servers.make()
  const ports: number[] = []
  for (let node = 0; node < CLUSTER_NODES; node++) {
    // The default port of the bus, 10,000 above, may be out of range.
    const bus = ['--cluster-port', `${await findFreePort()}`]
    ports.push(await servers.start(['--cluster-enabled', 'yes', '--appendonly', 'yes', ...bus]))
  }
  const nodes = ports.map((port) => `127.0.0.1:${port}`)
  await promisify(execFile)('redis-cli', ['--cluster', 'create', ...nodes, '--cluster-yes'])
  const isJoined = async (port: number) =>
    ((await ask(port, (redis) => redis.cluster('INFO'))) ?? '').includes('cluster_state:ok')
  await waitUntil(async () => (await Promise.all(ports.map(isJoined))).every(Boolean))
  return { address: nodes[0] ?? '', stop: () => servers.stop() }
}

async function waitUntil(isReady: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS
  while (!(await isReady())) {
    if (Date.now() > deadlineMs) throw new Error('Redis did not become ready')
    await delay(READY_POLL_MS)
  }
}

/** Resolves to undefined when the server does not answer yet. */
async function ask<T>(port: number, question: (redis: Redis) => Promise<T>): Promise<T | undefined> {
  const redis = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 0, retryStrategy: () => null })
  redis.on('error', () => undefined)
  try {
    return await question(redis)
  } catch {
    return undefined
  } finally {
    redis.disconnect()
  }
}
