import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { findFreePort } from './centripush-process.ts'
import { findRedisServer } from './redis-server.ts'

const READY_POLL_MS = 20
const START_TIMEOUT_MS = 60_000

/** A Redis of its own as an operator should run it (AOF every second, noeviction): one that can be killed and come back. */
export class KillableRedis {
  readonly port: number
  readonly #directory: string
  #server: ChildProcess

  private constructor(directory: string, port: number, server: ChildProcess) {
    this.#directory = directory
    this.port = port
    this.#server = server
  }

  /** An empty one; resolves when it answers. */
  static async start(): Promise<KillableRedis> {
    const directory = await mkdtemp(join(tmpdir(), 'centripush-killable-redis-'))
    const port = await findFreePort()
    return new KillableRedis(directory, port, await startServer(directory, port))
  }

  get pid(): number {
    return this.#server.pid ?? 0
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    const gone = once(this.#server, 'exit')
    this.#server.kill('SIGKILL')
    await gone
  }

  /** SIGKILL, and what it wrote is gone, as after a crash that came before its file had it. */
  async killAndForget(): Promise<void> {
    await this.kill()
    await rm(join(this.#directory, 'appendonlydir'), { recursive: true })
  }

  /** Resolves when it answers again, having read its file. */
  async restart(): Promise<void> {
    this.#server = await startServer(this.#directory, this.port)
  }

  /** Lets it have `bytes` more than it uses; undefined: as much as it wants. */
  async limitMemory(bytes: number | undefined): Promise<void> {
    const redis = connect(this.port)
    try {
      const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
      await redis.config('SET', 'maxmemory', bytes === undefined ? 0 : used + bytes)
    } finally {
      redis.disconnect()
    }
  }

  async stop(): Promise<void> {
    if (this.#server.exitCode === null && this.#server.signalCode === null) await this.kill()
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function startServer(directory: string, port: number): Promise<ChildProcess> {
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--maxmemory-policy', 'noeviction']
  const server = spawn(
    findRedisServer(),
    ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, ...durable],
    {
      stdio: 'ignore',
    },
  )
  const deadlineMs = Date.now() + START_TIMEOUT_MS
  while (!(await answers(port))) {
    if (server.exitCode !== null || Date.now() > deadlineMs) throw new Error('Redis does not start')
    await delay(READY_POLL_MS)
  }
  return server
}

function connect(port: number): Redis {
  return new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 0, retryStrategy: () => null })
}

async function answers(port: number): Promise<boolean> {
  const redis = connect(port)
  // Not listening yet: the call below says so.
  redis.on('error', () => undefined)
  try {
    return (await redis.ping()) === 'PONG'
  } catch {
    // Not listening yet, or still reading its file.
    return false
  } finally {
    redis.disconnect()
  }
}
