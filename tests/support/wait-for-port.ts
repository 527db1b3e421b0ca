import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 20
const TIMEOUT_MS = 30_000

/** Resolves when a process listens on a port of 127.0.0.1. @throws Error with its log when it ends before */
export async function waitForPort(port: number, process: ChildProcess): Promise<void> {
  let log = ''
  const collect = (chunk: Buffer) => {
    log += chunk.toString()
  }
  process.stdout?.on('data', collect)
  process.stderr?.on('data', collect)
  const deadlineMs = Date.now() + TIMEOUT_MS
  while (!(await listens(port))) {
    if (process.exitCode !== null || Date.now() > deadlineMs) throw new Error(`nothing listens on ${port}: ${log}`)
    await delay(POLL_MS)
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    // It does not listen yet.
    return false
  } finally {
    socket.destroy()
  }
}
