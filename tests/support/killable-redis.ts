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

/** A new Redis with the recommended settings (AOF every second, noeviction). It can be killed and started again. */
export class KillableRedis {
  readonly port: number
  readonly #directory: string
  #server: ChildProcess

  private constructor(directory: string, port: number, server: ChildProcess) {
    this.#directory = directory
    this.port = port
    this.#server = server
  }

  /** Starts an empty server. Resolves when it answers. */
  static async start(): Promise<KillableRedis> {
    const directory = await mkdtemp(join(tmpdir(), 'centripush-killable-redis-'))
    const port = await findFreePort()
    return new KillableRedis(directory, port, await startServer(directory, port))
  }

  get pid(): number {
    return this.#server.pid ?? 0
  }

  /** Sends SIGKILL. Resolves when the server has ended. */
  async kill(): Promise<void> {
    const gone = once(this.#server, 'exit')
    this.#server.kill('SIGKILL')
    await gone
  }

  /** Sends SIGSTOP: connections stay open, and nothing is answered until `thaw`. */
  freeze(): void {
    this.#server.kill('SIGSTOP')
  }

  /** Sends SIGCONT. */
  thaw(): void {
    this.#server.kill('SIGCONT')
  }

  /** Sends SIGKILL and removes its file, as after a crash before the data reached the disk. */
  async killAndForget(): Promise<void> {
    await this.kill()
    await rm(join(this.#directory, 'appendonlydir'), { recursive: true })
  }

  /** Starts the server again. Resolves when it answers, after reading its file. */
  async restart(): Promise<void> {
    this.#server = await startServer(this.#directory, this.port)
  }

  /** Limits its memory to `bytes` above its present use; undefined removes the limit. */
  async limitMemory(bytes: number | undefined): Promise<void> {
    const redis = connect(this.port)
    try {
      const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
      await redis.config('SET', 'maxmemory', bytes === undefined ? 0 : used + bytes)
    } finally {
      redis.disconnect()
    }
  }

  /** Resolves when all that it has answered is in its file, which a write reaches seconds later on a slow disk. */
  async waitUntilWritten(): Promise<void> {
    const redis = connect(this.port)
    try {
      while (!(await redis.info('persistence')).includes('aof_buffer_length:0\r')) await delay(READY_POLL_MS)
    } finally {
      redis.disconnect()
    }
  }

  /** Executes no command for `ms`; those that arrive meanwhile are executed afterwards. Resolves at its end. */
  async pause(ms: number): Promise<void> {
    const redis = connect(this.port)
    try {
      await redis.client('PAUSE', ms)
      await redis.ping()
    } finally {
      redis.disconnect()
    }
  }

  /** Makes it refuse all writes (MISCONF), as with a full disk: its directory is removed, and a snapshot fails. */
  async refuseWrites(): Promise<void> {
    await rm(this.#directory, { recursive: true })
    const redis = connect(this.port)
    try {
      await redis.config('SET', 'save', '3600 1000000')
      await redis.bgsave()
      while (!(await redis.info('persistence')).includes('rdb_last_bgsave_status:err')) await delay(READY_POLL_MS)
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
  // The call below reports a server that is not listening yet.
  redis.on('error', () => undefined)
  try {
    return (await redis.ping()) === 'PONG'
  } catch {
    // The server is not listening yet, or still reading its file.
    return false
  } finally {
    redis.disconnect()
  }
}
