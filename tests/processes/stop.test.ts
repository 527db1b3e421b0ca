// Signals to a server with everything embedded, at the moments of its life, as an operator sends them.
import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { readText } from '../support/marked-processes.ts'
import { LONG, RUNNING, type Server, startMarked } from './marked-server.ts'

/** Longer than the time in which two signals count as one. */
const SAME_PRESS_MS = 600

/** A stop that the operator likes: no process is left, and no error is logged. */
async function expectCleanStop(server: Server): Promise<void> {
  expect(await server.ended).toBe(0)
  expect(server.output()).not.toMatch(/"level":"error"|"stack"|\n\s+at /)
  await vi.waitFor(() => expect(server.listLeft()).toEqual([]), LONG)
}

test.skipIf(process.platform !== 'linux')(
  'a signal while the program is being loaded ends it with exit code 0, and without output (needs /proc)',
  async () => {
    const server = await startMarked()
    await vi.waitFor(() => expect(handlesHangup(server.child.pid)).toBe(true), { timeout: 60_000, interval: 1 })
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    expect(server.output()).toBe('')
    expect(server.listLeft()).toEqual([])
  },
)

/** Whether the process has a handler for SIGHUP: Node has none of its own. */
function handlesHangup(pid: number | undefined): boolean {
  const [, mask = '0'] = /^SigCgt:\s*(\w+)$/m.exec(readText(`/proc/${pid}/status`)) ?? []
  return (BigInt(`0x${mask}`) & 1n) === 1n
}

test.skipIf(process.platform !== 'linux')(
  'SIGTERM while the embedded PostgreSQL is made leaves nothing of it (needs /proc)',
  async () => {
    const server = await startMarked()
    await server.said('making the embedded PostgreSQL')
    server.child.kill('SIGTERM')
    await expectCleanStop(server)
    expect(readdirSync(server.dataDir)).toEqual(['postgres.password'])
  },
)

test.skipIf(process.platform !== 'linux')(
  'Ctrl-C during the migrations, and in a running server with worker processes, stops all processes (needs /proc)',
  async () => {
    const first = await startMarked()
    await first.said('migration applied')
    // Ctrl-C reaches the whole process group.
    process.kill(-(first.child.pid ?? 0), 'SIGINT')
    await expectCleanStop(first)
    const second = await startMarked({ config: { data_dir: first.dataDir, worker: { processes: 2 } } })
    await second.said(RUNNING)
    process.kill(-(second.child.pid ?? 0), 'SIGINT')
    await expectCleanStop(second)
  },
)

test.skipIf(process.platform !== 'linux')(
  'frozen worker processes do not hold up a stop for longer than shutdown.timeout (needs /proc)',
  async () => {
    const server = await startMarked({ config: { worker: { processes: 1 + 1 } } })
    await server.said(RUNNING)
    const workers = server.listWorkers()
    expect(workers).toHaveLength(3)
    for (const pid of workers) process.kill(pid, 'SIGSTOP')
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    await vi.waitFor(() => expect(server.listLeft()).toEqual([]), LONG)
  },
)

test.skipIf(process.platform !== 'linux')(
  'npm start passes signals on and waits; a second one stops at once, with exit code 1 (needs /proc)',
  async () => {
    const program = ['npm', 'start', '--silent', '--']
    const first = await startMarked({ program })
    await first.said(RUNNING)
    first.child.kill('SIGTERM')
    await expectCleanStop(first)
    const config = { data_dir: first.dataDir, worker: { processes: 2 }, shutdown: { timeout: '60s' } }
    const second = await startMarked({ program, config })
    await second.said(RUNNING)
    const workers = second.listWorkers()
    for (const pid of workers) process.kill(pid, 'SIGSTOP')
    second.child.kill('SIGINT')
    await second.said('"signal":"SIGINT"')
    // Two within half a second count as one. One more would end npm itself, which has no server to pass it on to.
    await delay(SAME_PRESS_MS)
    second.child.kill('SIGINT')
    expect(await second.ended).toBe(1)
    expect(second.output()).toContain('stopped immediately')
    await vi.waitFor(() => expect(second.listLeft()).toEqual([]), LONG)
  },
)
