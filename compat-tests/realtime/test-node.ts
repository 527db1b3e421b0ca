// The node of the tests: a real Centrifugo if CENTRIFUGO_BIN names one, otherwise the program in node/, which is built
// on the library of Centrifugo.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { SignJWT } from 'jose'
import { findFreePort } from '../../tests/support/centripush-process.ts'
import { prepareToolchain, runProgram, type Toolchain } from '../sdk/toolchain.ts'

const PROGRAM = resolve(import.meta.dirname, 'node')
const CACHE = resolve(import.meta.dirname, '../../.cache')
export const NODE_KEY = 'key-of-the-node'
/** The secret of connection tokens. */
export const NODE_JWT_SECRET = 'secret-of-the-connection-tokens'
const START_TIMEOUT_MS = 20_000

/** The RPC proxy of a namespace, with the names of Centrifugo's options. Without an endpoint it has none. */
export interface ProxyOptions {
  endpoint?: string
  timeout_ms?: number
  static_headers?: Record<string, string>
  http_headers?: string[]
  include_connection_meta?: boolean
  binary_encoding?: boolean
}

/** A running node. */
export interface TestNode {
  /** `http://127.0.0.1:PORT`. */
  address: string
  stop(): Promise<void>
}

/** Starts a node with these RPC namespaces. */
export type StartTestNode = (rpc: Record<string, ProxyOptions>) => Promise<TestNode>

/** Prepares the node. The first run compiles it, for which it needs Go. */
export function prepareTestNode(): Promise<Toolchain<StartTestNode>> {
  const binary = process.env.CENTRIFUGO_BIN
  if (binary) return Promise.resolve({ tools: (rpc) => startCentrifugo(binary, rpc), missing: false })
  return prepareToolchain('the node of compat-tests/realtime', async () => {
    const program = await compile()
    return (rpc: Record<string, ProxyOptions>) => startProgram(program, rpc)
  })
}

/** A connection JWT of the node. */
export function makeToken(user: string, claims: Record<string, unknown> = {}): Promise<string> {
  const key = new TextEncoder().encode(NODE_JWT_SECRET)
  return new SignJWT(claims).setSubject(user).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(key)
}

async function compile(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(PROGRAM)).sort()) hash.update(name).update(await readFile(join(PROGRAM, name)))
  const program = join(CACHE, `node-${hash.digest('hex').slice(0, 12)}`)
  if (
    await runProgram('test', ['-x', program]).then(
      () => true,
      () => false,
    )
  )
    return program
  await mkdir(CACHE, { recursive: true })
  // Test files compile at the same time, and the last one wins.
  const directory = await mkdtemp(`${program}-`)
  const built = join(directory, 'node')
  await runProgram('go', ['build', '-o', built, '.'], {
    cwd: PROGRAM,
    env: { GOTOOLCHAIN: 'local', GOWORK: 'off', CGO_ENABLED: '0' },
  })
  await rename(built, program)
  await rm(directory, { recursive: true, force: true })
  return program
}

async function startProgram(program: string, rpc: Record<string, ProxyOptions>): Promise<TestNode> {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  child.stdin.write(JSON.stringify({ api_key: NODE_KEY, rpc }))
  const [address] = await once(createInterface(child.stdout), 'line')
  const stop = async () => {
    child.stdin.end()
    await closed
  }
  return { address: String(address), stop }
}

async function startCentrifugo(binary: string, rpc: Record<string, ProxyOptions>): Promise<TestNode> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-node-'))
  const port = await findFreePort()
  const file = join(directory, 'config.json')
  await writeFile(file, JSON.stringify(makeConfig(port, rpc)))
  const child = spawn(binary, ['--config', file], { stdio: 'ignore' })
  const closed = once(child, 'close')
  const stop = async () => {
    child.kill('SIGKILL')
    await closed
    await rm(directory, { recursive: true, force: true })
  }
  const address = `http://127.0.0.1:${port}`
  const deadline = Date.now() + START_TIMEOUT_MS
  while (
    !(await fetch(`${address}/health`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (Date.now() > deadline || child.exitCode !== null) {
      await stop()
      throw new Error(`${binary} did not start`)
    }
  }
  return { address, stop }
}

function makeConfig(port: number, rpc: Record<string, ProxyOptions>): object {
  const named = Object.entries(rpc).filter(([, { endpoint }]) => endpoint !== undefined)
  return {
    http_server: { address: '127.0.0.1', port },
    http_api: { key: NODE_KEY },
    health: { enabled: true },
    client: {
      allow_anonymous_connect_without_token: true,
      allowed_origins: ['*'],
      token: { hmac_secret_key: NODE_JWT_SECRET },
    },
    channel: {
      without_namespace: { presence: true, allow_subscribe_for_client: true, history_size: 100, history_ttl: '600s' },
    },
    proxies: named.map(([name, { timeout_ms = 1000, static_headers = {}, ...options }]) => ({
      name,
      timeout: `${timeout_ms}ms`,
      http: { static_headers },
      ...options,
    })),
    rpc: {
      namespaces: Object.entries(rpc).map(([name, { endpoint }]) =>
        endpoint === undefined ? { name } : { name, proxy_enabled: true, proxy_name: name },
      ),
    },
  }
}
