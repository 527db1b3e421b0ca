// A real Centrifugo node for a scenario, with the configuration of the recorded one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '../../tests/support/centripush-process.ts'
import type { ScenarioNode } from './scenario-node.ts'

const NODE_KEY = 'key-of-the-real-node'
const START_TIMEOUT_MS = 20_000
const POLL_MS = 20
/** Besides WebSocket, which is always on. */
const TRANSPORTS = ['sse', 'http_stream', 'uni_websocket', 'uni_sse', 'uni_http_stream', 'init']

/** Starts the node `binary` on a free port. @throws Error when it does not answer in time */
export async function startRealNode(binary: string): Promise<ScenarioNode> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-node-'))
  const port = await findFreePort()
  const file = join(directory, 'config.json')
  await writeFile(file, JSON.stringify(makeConfig(port)))
  const child = spawn(binary, ['--config', file], { stdio: 'ignore' })
  const ended = once(child, 'close')
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
    await rm(directory, { recursive: true, force: true })
  }
  const address = `http://127.0.0.1:${port}`
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await isHealthy(address))) {
    if (Date.now() > deadline || child.exitCode !== null) {
      await stop()
      throw new Error(`${binary} did not answer in time`)
    }
    await delay(POLL_MS)
  }
  return { address, key: NODE_KEY, violations: [], isReal: true, stop }
}

function makeConfig(port: number): object {
  return {
    http_server: { address: '127.0.0.1', port },
    http_api: { key: NODE_KEY },
    admin: { enabled: true, password: 'password', secret: 'secret' },
    health: { enabled: true },
    client: { allow_anonymous_connect_without_token: true, allowed_origins: ['*'] },
    ...Object.fromEntries(TRANSPORTS.map((transport) => [transport, { enabled: true }])),
    channel: {
      namespaces: [{ name: 'hist', presence: true, history_size: 10, history_ttl: '300s' }, { name: 'plain' }],
    },
  }
}

async function isHealthy(address: string): Promise<boolean> {
  try {
    return (await fetch(`${address}/health`)).ok
  } catch {
    // The node does not listen yet.
    return false
  }
}
