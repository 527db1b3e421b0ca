// Delivers one batch through a provider, and records the calls of delivery to the queue, the devices and the metrics.
import { type DeliverDeps, deliverBatch } from '../../../src/delivery/deliver-batch.ts'
import { Hold } from '../../../src/delivery/hold.ts'
import type { OpenBatch } from '../../../src/delivery/open-batch.ts'
import { makeMetrics } from '../../../src/observability/metrics.ts'
import type { Provider } from '../../../src/providers/provider.ts'
import { readValue } from '../../../src/sends/target-line.ts'
import { readLines } from '../../queue/make-batch.ts'
import { makeTestLogger, noteSecrets, PAYLOAD_MARK } from '../../support/run-log.ts'

/** The effects of a delivered batch. */
export interface Delivered {
  /** The delay of each target's next attempt without jitter, in ms; no entry for finished targets. */
  retryMs: ReadonlyMap<string, number>
  /** The tokens of the removed devices. */
  removed: readonly string[]
  /** The reason of the pause of the provider, if it was paused. */
  pausedFor: string | undefined
  /** The number of targets by the labels `success err_code`. */
  counted: Readonly<Record<string, number>>
}

/** @param lines target lines */
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
  const batch = batchOf(provider, lines)
  await deliverBatch(deps, batch, new Hold({ claim: batch, untilMs: Number.POSITIVE_INFINITY, look: () => undefined }))
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
    analyticsUid: 'a-uid',
    fence: 1,
    lane: 'small',
    provider: name,
    targetKind: 'token',
    lines,
    isRange: false,
    skipped: [],
    rest: undefined,
    count: lines.length,
    attempt: 1,
    isRetry: false,
    ambiguousAttempts: 0,
    ageMs: 0,
    expiresInMs: undefined,
    sendState: 'live',
    hasExclusions: false,
    finished: undefined,
    finishedNote: '',
    isProbe: false,
    content: { notifications: new Map([[name, notification]]), analyticsUid: '', isReliable: false },
  }
}
