import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const PROGRAM = join(import.meta.dirname, 'node-stand-in-process.ts')

/** The node behind the proxy. */
export interface UpstreamNode {
  address: string
  key: string
  /** Its name in the table. */
  name: string
  stop(): Promise<void>
}

/** A running node, which is not stopped. */
export function useNode(address: string, key: string): UpstreamNode {
  return { address, key, name: 'Centrifugo', stop: async () => {} }
}

/** Starts a stub in its own process. */
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
  return { address: `http://127.0.0.1:${port}`, key, name: 'a stub on node:http', stop }
}
