import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const PROGRAM = join(import.meta.dirname, 'node-stand-in-process.ts')

/** Where the proxied requests end. */
export interface UpstreamNode {
  address: string
  key: string
  /** As the table names it. */
  name: string
  stop(): Promise<void>
}

/** A node that runs already, which is left alone. */
export function useNode(address: string, key: string): UpstreamNode {
  return { address, key, name: 'Centrifugo', stop: async () => {} }
}

/** A stand-in in a process of its own. */
export async function startStandIn(): Promise<UpstreamNode> {
  const key = 'key-of-the-node'
  const child = fork(PROGRAM, [key], { execArgv: ['--import', 'tsx'] })
  const [port] = await once(child, 'message')
  const stop = async () => {
    const ended = once(child, 'exit')
    if (child.connected) child.disconnect()
    else if (!child.kill()) return
    await ended
  }
  return { address: `http://127.0.0.1:${port}`, key, name: 'a stand-in on node:http', stop }
}
