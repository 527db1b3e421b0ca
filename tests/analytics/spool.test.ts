// Rows that are kept survive their process: another one takes over its files, each of them once.
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync } from 'node:fs'
import { appendFile, mkdir, open, readdir, readFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { encodeHeader } from '../../src/analytics/spool/records.ts'
import { RowKeeper } from '../../src/analytics/spool/row-keeper.ts'
import { DamagedBatchError, Spool, type SpooledBatch } from '../../src/analytics/spool/spool.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { NumberedRows, readNumbers } from './numbered-rows.ts'
import { makeDataDir } from './writer-rig.ts'

const PROGRAM = resolve(import.meta.dirname, 'spool-process.ts')
const TOKEN = '00000000-0000-4000-8000-000000000000'

function startProcess(dataDir: string, ...task: string[]): ChildProcessByStdio<Writable, Readable, null> {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, dataDir, ...task], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Kills a process that keeps rows when it has kept `count`. Resolves to the number of rows that it has kept. */
async function killAfter(count: number, dataDir: string, batchRows: number): Promise<number> {
  const child = startProcess(dataDir, 'keep', String(batchRows))
  let kept = 0
  for await (const line of createInterface(child.stdout)) {
    kept = Number(line) + 1
    if (kept === count) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return kept
}

async function readLines(output: AsyncIterator<string>): Promise<number[]> {
  const numbers: number[] = []
  for (let line = await output.next(); !line.done; line = await output.next()) numbers.push(Number(line.value))
  return numbers
}

/** The directory of an ended process with the rows 0, 1 and 2 in an open file. */
async function makeEnded(dataDir: string): Promise<{ owner: string; file: string }> {
  await killAfter(3, dataDir, 1000)
  const [owner = ''] = await readdir(join(dataDir, 'rows'))
  const [file = ''] = await readdir(join(dataDir, 'rows', owner))
  expect(file).toMatch(/\.open$/)
  return { owner: join(dataDir, 'rows', owner), file: join(dataDir, 'rows', owner, file) }
}

async function adoptAll(spool: Spool): Promise<SpooledBatch[]> {
  const batches: SpooledBatch[] = []
  await spool.adopt(Number.POSITIVE_INFINITY, (batch) => batches.push(batch))
  return batches
}

/** The numbers of the rows in batches. */
async function readAll(spool: Spool, batches: readonly SpooledBatch[]): Promise<number[]> {
  const numbers: number[] = []
  for (const batch of batches) {
    const rows = readNumbers(await spool.read(batch))
    expect(rows).toHaveLength(batch.rows)
    numbers.push(...rows)
  }
  return numbers.sort((a, b) => a - b)
}

function countUpTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number)
}

test.each([1, 20, 48, 77])('all rows of a process that is killed after %d rows are taken over', async (count) => {
  const dataDir = makeDataDir()
  const kept = await killAfter(count, dataDir, 7)
  const spool = await Spool.open(dataDir, 'rows')
  const numbers = await readAll(spool, await adoptAll(spool))
  // The last row may be in the file, and the process was killed before it could say so.
  expect([kept, kept + 1]).toContain(numbers.length)
  expect(numbers).toEqual(countUpTo(numbers.length))
})

test.each([1, 11, 12, 40])('a record that a kill has cut off after %d bytes is ignored', async (bytes) => {
  const dataDir = makeDataDir()
  const { file } = await makeEnded(dataDir)
  const record = { rows: 9, bytes: Buffer.alloc(100, 'y') }
  await appendFile(file, Buffer.concat([encodeHeader(record), record.bytes]).subarray(0, bytes))
  const spool = await Spool.open(dataDir, 'rows')
  const numbers = await readAll(spool, await adoptAll(spool))
  expect(numbers.slice(0, 3)).toEqual([0, 1, 2])
})

test('rows before a damaged record are taken over, and a damaged sealed batch is an error', async () => {
  const dataDir = makeDataDir()
  const { file } = await makeEnded(dataDir)
  const bytes = await readFile(file)
  await writeFile(file, Buffer.concat([bytes, encodeHeader({ rows: 2, bytes: Buffer.alloc(8) }), Buffer.alloc(8, 1)]))
  const spool = await Spool.open(dataDir, 'rows')
  const batches = await adoptAll(spool)
  expect(await readAll(spool, batches)).toEqual(countUpTo((await readAll(spool, batches)).length))
  const [batch] = batches
  if (!batch) throw new Error('no batch was taken over')
  await truncate(spool.pathOf(batch), 20)
  await expect(spool.read(batch)).rejects.toThrow(DamagedBatchError)
})

test('a file without a complete record is deleted', async () => {
  const dataDir = makeDataDir()
  const { file } = await makeEnded(dataDir)
  await truncate(file, 5)
  const spool = await Spool.open(dataDir, 'rows')
  expect(await adoptAll(spool)).toEqual([])
  await spool.close()
  expect(await readdir(join(dataDir, 'rows'))).toEqual([])
})

test('of several processes that take over at once, one gets each file', async () => {
  const dataDir = makeDataDir()
  const kept = await killAfter(150, dataDir, 1)
  const takers = countUpTo(3).map(() => startProcess(dataDir, 'adopt'))
  const outputs = takers.map(({ stdout }) => createInterface(stdout)[Symbol.asyncIterator]())
  for (const output of outputs) expect(await output.next()).toMatchObject({ value: 'ready' })
  for (const { stdin } of takers) stdin.write('go')
  const taken = await Promise.all(outputs.map((output) => readLines(output)))
  const numbers = taken.flat().sort((a, b) => a - b)
  expect(numbers.length).toBeGreaterThanOrEqual(kept)
  expect(numbers).toEqual(countUpTo(numbers.length))
})

test('a file whose takeover was interrupted is taken over by the next process', async () => {
  const dataDir = makeDataDir()
  const { file, owner } = await makeEnded(dataDir)
  const interrupted = `${owner}0`
  await mkdir(interrupted)
  await rename(file, join(interrupted, `${TOKEN}.open`))
  const spool = await Spool.open(dataDir, 'rows')
  expect((await readAll(spool, await adoptAll(spool))).slice(0, 3)).toEqual([0, 1, 2])
})

test('a process of another machine or container is taken for ended after three minutes without a sign', async () => {
  const dataDir = makeDataDir()
  const { owner } = await makeEnded(dataDir)
  const elsewhere = join(dataDir, 'rows', `0123456789ab-${owner.split('-').slice(-3).join('-')}`)
  await rename(owner, elsewhere)
  const spool = await Spool.open(dataDir, 'rows')
  const setAge = async (ms: number) => {
    const time = new Date(Date.now() - ms)
    await utimes(elsewhere, time, time)
  }
  await setAge(170_000)
  expect(await adoptAll(spool)).toEqual([])
  await setAge(190_000)
  expect(await adoptAll(spool)).toHaveLength(1)
})

test('rows that could not be written are written when the disk works again', async () => {
  const dataDir = makeDataDir()
  await writeFile(join(dataDir, 'rows'), '')
  const spool = await Spool.open(dataDir, 'rows')
  const rows = new NumberedRows()
  const keeper = new RowKeeper({ spool, logger: makeTestLogger(), name: 'test', collected: rows })
  rows.add(0)
  await keeper.keep()
  await rm(join(dataDir, 'rows'))
  rows.add(1)
  await keeper.keep()
  const [owner = ''] = await readdir(join(dataDir, 'rows'))
  const [file = ''] = await readdir(join(dataDir, 'rows', owner))
  expect(file).toMatch(/\.open$/)
  const batch = await keeper.seal(new NumberedRows()).spooled
  expect(await readAll(spool, batch ? [batch] : [])).toEqual([0, 1])
})

test('a disk that does not answer delays nothing for long, and gets the rows later', async () => {
  const dataDir = makeDataDir()
  const spool = await Spool.open(dataDir, 'rows')
  const rows = new NumberedRows()
  const keeper = new RowKeeper({ spool, logger: makeTestLogger(), name: 'test', collected: rows, maxWaitMs: 50 })
  // The threads in which this process calls the file system wait for the writer of a FIFO.
  const fifo = join(dataDir, 'fifo')
  execFileSync('mkfifo', [fifo])
  const hanging = countUpTo(Number(process.env.UV_THREADPOOL_SIZE ?? 4)).map(() => open(fifo, 'r'))
  for (const number of [0, 1, 2]) {
    rows.add(number)
    await keeper.keep()
  }
  const names = readdirSync(join(dataDir, 'rows'), { recursive: true })
  expect(names.filter((name) => String(name).endsWith('.open'))).toEqual([])
  const writer = openSync(fifo, 'r+')
  for (const handle of await Promise.all(hanging)) await handle.close()
  closeSync(writer)
  const batch = await keeper.seal(new NumberedRows()).spooled
  expect(await readAll(spool, batch ? [batch] : [])).toEqual([0, 1, 2])
})
