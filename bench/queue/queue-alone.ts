// The queue alone: pages of batches are stored, claimed and acknowledged, as by fan-out and a worker.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { BatchClaim, NewBatch } from '../../src/queue/batch.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { SendClaim } from '../../src/queue/send.ts'
import { makeSend } from '../../tests/queue/make-send.ts'

const BATCH_TARGETS = 500
/** The batches of a page: see src/push/pages.ts. */
const PAGE_BATCHES = 10
/** The claimed batches of a worker: see src/delivery/worker.ts. */
const CLAIMED_BATCHES = 8
const FULL_PAUSE_MS = 5

/** Sends `targets` through the queue; resolves to targets per second. */
export async function measureQueueAlone(queue: Queue, targets: number): Promise<number> {
  const pages = Math.ceil(targets / (PAGE_BATCHES * BATCH_TARGETS))
  const page = makePage()
  const start = performance.now()
  await queue.enqueue(makeSend())
  const [claim] = await queue.claimSends('broadcast', 1)
  if (!claim) throw new Error('the send should be due')
  await Promise.all([writePages(queue, claim, page, pages), consume(queue, pages * PAGE_BATCHES)])
  return (pages * PAGE_BATCHES * BATCH_TARGETS * 1000) / (performance.now() - start)
}

/** Target lines of FCM devices: a uuid, a token of 163 bytes, a user of 20 bytes. */
function makePage(): NewBatch[] {
  return Array.from({ length: PAGE_BATCHES }, () => {
    const lines = Array.from({ length: BATCH_TARGETS }, () => {
      const token = `${randomUUID()}${randomUUID()}${randomUUID()}${randomUUID()}`.padEnd(163, 'x')
      return `${randomUUID()}\t${token}\tuser:000000000000777\tandroid`
    })
    return {
      provider: 'fcm',
      lane: 'broadcast',
      targetKind: 'token',
      lines: Buffer.from(lines.join('\n')),
      count: BATCH_TARGETS,
    }
  })
}

async function writePages(queue: Queue, claim: SendClaim, batches: NewBatch[], pages: number): Promise<void> {
  let at = claim
  for (let index = 1; index <= pages; ) {
    const cursor = index === pages ? undefined : String(index)
    const result = await queue.commitPage(at, { batches, cursor })
    if (result === 'lost') throw new Error('the walk was lost')
    if (result === 'full') {
      await delay(FULL_PAUSE_MS)
      continue
    }
    at = { ...at, cursor }
    index++
  }
}

async function consume(queue: Queue, batches: number): Promise<void> {
  const working = new Set<Promise<void>>()
  const never = new AbortController().signal
  let acknowledged = 0
  const acknowledge = async (claim: BatchClaim) => {
    // A worker decodes each line.
    if (claim.lines.length !== claim.count) throw new Error('a batch came back changed')
    const result = await queue.acknowledge(claim, { retries: [], givenUp: [] })
    if (result === 'lost') throw new Error('a batch was lost')
    acknowledged++
  }
  while (acknowledged + working.size < batches) {
    const claims = await queue.claimBatches('broadcast', ['fcm'], CLAIMED_BATCHES - working.size)
    for (const claim of claims) {
      const work = acknowledge(claim).finally(() => working.delete(work))
      working.add(work)
    }
    if (working.size >= CLAIMED_BATCHES) await Promise.race(working)
    else if (claims.length === 0) await Promise.race([...working, queue.waitForWork('broadcast', 100, never)])
  }
  await Promise.all(working)
}
