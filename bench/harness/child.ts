// A program of a benchmark in its own process.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** A running program. */
export interface Child {
  pid: number
  process: ChildProcess
  stop(): Promise<void>
}

/** Starts a program, which ends when its channel is closed. */
export function startChild(file: string, args: readonly string[] = []): Child {
  const child = fork(file, args, { execArgv: ['--import', 'tsx'] })
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    if (child.connected) child.disconnect()
    else child.kill()
    await ended
  }
  return { pid: child.pid ?? 0, process: child, stop }
}

/** Starts a server, whose first message is its port. */
export async function startChildServer(file: string): Promise<Child & { port: number }> {
  const child = startChild(file)
  const [port] = await once(child.process, 'message')
  return { ...child, port: Number(port) }
}
