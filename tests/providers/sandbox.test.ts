import { pino } from 'pino'
import { expect, it } from 'vitest'
import type { Outcome } from '../../src/providers/provider.ts'
import { SandboxProvider } from '../../src/providers/sandbox/sandbox.ts'
import { keepLines, makeTestLogger } from '../support/run-log.ts'

const notification = { json: Buffer.from('{"secret":1}'), headers: new Map() }
const NEVER = new AbortController().signal

it('settles every target as sent and records the batch without targets or payload', async () => {
  let log = ''
  const logger = pino(
    { base: null },
    keepLines((line) => (log += line)),
  )
  const sandbox = new SandboxProvider({ name: 'apns', logger, nowMs: () => 5 })
  const outcomes: Outcome[] = []
  const batch = { uid: 'u1', notification, targetKind: 'token' as const, targets: ['t1', 't2'] }
  await sandbox.send(batch, (index, outcome) => (outcomes[index] = outcome), NEVER)
  expect(outcomes.map((outcome) => outcome.kind)).toEqual(['sent', 'sent'])
  expect(sandbox.records).toEqual([{ atMs: 5, uid: 'u1', targetKind: 'token', targets: 2, messageBytes: 12 }])
  expect(JSON.parse(log)).toMatchObject({ provider: 'apns', uid: 'u1', targets: 2, messageBytes: 12 })
  expect(log).not.toMatch(/t1|secret/)
})

it('logs the batches of a broadcast in a few lines', async () => {
  const lines: Record<string, unknown>[] = []
  const logger = pino(
    { base: null },
    keepLines((line) => lines.push(JSON.parse(line))),
  )
  const sandbox = new SandboxProvider({ name: 'fcm', logger })
  for (let batch = 0; batch < 100; batch++) {
    await sandbox.send({ uid: 'u1', notification, targetKind: 'token', targets: ['a', 'b'] }, () => undefined, NEVER)
  }
  await sandbox.close()
  expect(lines).toMatchObject([
    { uid: 'u1', targets: 2 },
    { uid: 'u1', batches: 99, targets: 198 },
  ])
})

it('keeps only the latest records', async () => {
  const sandbox = new SandboxProvider({ name: 'fcm', logger: makeTestLogger(), keptRecords: 2 })
  for (const uid of ['u1', 'u2', 'u3']) {
    await sandbox.send({ uid, notification, targetKind: 'token', targets: ['t'] }, () => undefined, NEVER)
  }
  expect(sandbox.records.map((record) => record.uid)).toEqual(['u2', 'u3'])
})

it('leaves a batch unsettled that is aborted before its latency ends', async () => {
  const sandbox = new SandboxProvider({ name: 'fcm', logger: makeTestLogger(), latencyMs: 3_600_000 })
  const settled: number[] = []
  const abort = new AbortController()
  const batch = { uid: 'u1', notification, targetKind: 'token' as const, targets: ['t'] }
  const sending = sandbox.send(batch, (index) => settled.push(index), abort.signal)
  abort.abort()
  await sending
  expect([settled, sandbox.records]).toEqual([[], []])
})

it('settles a batch when its latency ends', async () => {
  const sandbox = new SandboxProvider({ name: 'fcm', logger: makeTestLogger(), latencyMs: 20 })
  const settled: number[] = []
  await sandbox.send({ uid: 'u1', notification, targetKind: 'token', targets: ['t'] }, (i) => settled.push(i), NEVER)
  expect(settled).toEqual([0])
})
