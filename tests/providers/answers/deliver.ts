// One batch on its whole way through delivery and a provider, and what delivery tells queue, devices and metrics then.
import { type DeliverDeps, deliverBatch } from '../../../src/delivery/deliver-batch.ts'
import type { OpenBatch } from '../../../src/delivery/open-batch.ts'
import { makeMetrics } from '../../../src/observability/metrics.ts'
import type { Provider } from '../../../src/providers/provider.ts'
import { readValue } from '../../../src/sends/target-line.ts'
import { readLines } from '../../queue/make-batch.ts'
import { makeTestLogger, noteSecrets, PAYLOAD_MARK } from '../../support/run-log.ts'

export interface Delivered {
  /** Milliseconds that each target waits for its next attempt, without jitter; no entry for those that are done. */
  retryMs: ReadonlyMap<string, number>
  /** The tokens whose devices are removed. */
  removed: readonly string[]
  pausedFor: string | undefined
  /** `success err_code` and how many of it. */
  counted: Readonly<Record<string, number>>
}

/** @param lines a target each, as the queue has them */
export async function deliver(provider: Provider, lines: readonly string[]): Promise<Delivered> {
  noteSecrets(lines.map(readValue))
  const metrics = makeMetrics()
  const retryMs = new Map<string, number>()
  const removed: string[] = []
  let pausedFor: string | undefined
  const deps: DeliverDeps = {
    queue: {
      acknowledge: async (_claim, { retries }) => {
        for (const retry of retries)
          for (const line of readLines(retry).split('\n')) retryMs.set(readValue(line), retry.delayMs)
        return 'acknowledged'
      },
      findExcluded: async () => [],
      pause: async (_provider, reason) => {
        pausedFor = reason
      },
      resume: async () => undefined,
    },
    loadSend: async () => undefined,
    providers: new Map([[provider.name, provider]]),
    batchSizes: new Map(),
    removeGone: async (_provider, gone) => {
      removed.push(...gone.map(({ token }) => token))
      return gone.length
    },
    removalBreaker: undefined,
    retryPolicy: { scale: 1, random: () => 0 },
    metrics,
    logger: makeTestLogger(),
    now: Date.now,
  }
  await deliverBatch(deps, batchOf(provider, lines), {
    signal: new AbortController().signal,
    hasExclusions: false,
    trackProgress: () => undefined,
    onExclusions: () => undefined,
  })
  const { values } = await metrics.notifications.get()
  const counted = Object.fromEntries(values.map(({ labels, value }) => [`${labels.success} ${labels.err_code}`, value]))
  return { retryMs, removed, pausedFor, counted }
}

function batchOf({ name }: Provider, lines: readonly string[]): OpenBatch {
  const notification = {
    json: Buffer.from(`{"aps":{"alert":"${PAYLOAD_MARK}"},"data":"${PAYLOAD_MARK}"}`),
    headers: new Map<string, string>(),
  }
  return {
    id: '1',
    uid: 'a-uid',
    fence: 1,
    lane: 'small',
    provider: name,
    targetKind: 'token',
    lines,
    rest: undefined,
    count: lines.length,
    attempt: 1,
    ambiguousAttempts: 0,
    ageMs: 0,
    expiresInMs: undefined,
    sendState: 'live',
    hasExclusions: false,
    finished: undefined,
    isProbe: false,
    content: { notifications: new Map([[name, notification]]), analyticsUid: '', isReliable: false },
  }
}
