// A worker process that the operating system can not start, because it has no memory or no process id left: there is no
// event 'exit' of it, and it is started later.
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ConfigSchema } from '../../src/config/schema.ts'
import { WorkerProcesses } from '../../src/processes/worker-processes.ts'
import { makeTestLogger } from '../support/run-log.ts'

test.each([
  // As without process ids: fork() returns a process that emits 'error'.
  ['reports an error', '/missing/program'],
  // As without memory: fork() throws.
  ['throws', ''],
])('a process is started again when its start %s', async (_, broken) => {
  const folder = await mkdtemp(join(tmpdir(), 'failed-spawn-'))
  const [program, mark] = [join(folder, 'program'), join(folder, 'mark')]
  await writeFile(program, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 })
  const onExit = vi.fn()
  const processes = new WorkerProcesses({
    config: v.parse(ConfigSchema, {}),
    count: 1,
    logger: makeTestLogger(),
    onLoad: () => undefined,
    onExit,
    onStoreOutage: () => undefined,
  })
  const { execPath } = process
  onTestFinished(async () => {
    process.execPath = execPath
    await processes.stop(0)
    await rm(folder, { recursive: true })
  })
  process.execPath = broken
  processes.start()
  process.execPath = program
  await vi.waitFor(() => stat(mark), { timeout: 5000 })
  expect(onExit).toHaveBeenCalled()
})
