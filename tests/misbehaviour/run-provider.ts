// One misbehaving provider, end to end: a server process with its queue on a real store sends to a simulator over TLS
// and HTTP/2 until the send has ended.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { assembleQueue } from '../../src/assemble/assemble-queue.ts'
import { parseConfig } from '../../src/config/load.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { Treatment } from '../../src/simulators/simulated-request.ts'
import type { Backend, Settings } from '../faults/backend.ts'
import { makeRandom } from '../queue/faults.ts'
import { startCentripush } from '../support/centripush-process.ts'
import { makeTestLogger } from '../support/run-log.ts'
import type { MisbehaviourCase } from './misbehaving-provider.ts'
import { mistakenServer } from './mistakes.ts'
import { readServerReport } from './server-report.ts'
import { judge, type Verdict } from './verdict.ts'

const KEY = 'key-of-the-clients'
const SHARE = 0.05
/**
 * Faults that block all streams of their connection for 25 s, until the client notices. Each of the other faults is
 * chosen eight times as often.
 */
const BLOCKING = new Set(['hang', 'stall'])
const WEIGHT_OF_OTHERS = 8
const POLL_MS = 200
/** Twice the time after which a client notices a half-open connection. A push that has not come by then never comes. */
const SILENCE_MS = 60_000
const RETRY_SCALE = 0.01

export interface RunOptions {
  backend: Pick<Backend, 'dsn' | 'queueSettings'>
  pushes: number
  seed: number
  /** The mistake that is planted in the server (mistakes.ts); undefined plants none. */
  mistake?: string | undefined
  /** Called with the number of requests so far. */
  onProgress?: ((requests: number) => void) | undefined
  /** Ends the run early: it rejects with the signal's reason, and its processes are gone by then. */
  signal?: AbortSignal | undefined
}

/**
 * Sends one push to each of `pushes` targets. At least one target asks for each fault, and the simulator chooses
 * further ones by chance. Rejects when the server does not start or refuses the send.
 */
export async function runProvider(tested: MisbehaviourCase, options: RunOptions): Promise<Verdict> {
  const treatments: Treatment[] = []
  const faults = new Map(tested.words.map((word) => [word, 0]))
  const onFault = (word: string) => void faults.set(word, (faults.get(word) ?? 0) + 1)
  const provider = await tested.start({
    misbehaviour: { share: SHARE, random: makeRandom(options.seed), words: weigh(tested.words), onFault },
    onTreatment: (treatment) => treatments.push(treatment),
  })
  const settings = makeSettings(options.backend, tested.name, provider.settings)
  const store = await assembleQueue({ config: parseConfig(settings), logger: makeTestLogger() })
  const server = await startCentripush(settings, options.mistake === undefined ? {} : mistakenServer(options.mistake))
  try {
    const targets = makeTargets(options.pushes, tested)
    const uid = randomUUID()
    const recipient = { [provider.recipientField]: targets.map(provider.tokenOf) }
    await send(server.url, { uid, recipient, notification: provider.notification })
    await waitForEnd(store.queue, uid, treatments, options)
    const report = await readServerReport(server.url, store.queue, provider.targetOf)
    return judge({ targets, treatments, faults, read: provider.read, report })
  } finally {
    await server.kill()
    await store.stop()
    await provider.stop()
  }
}

function weigh(words: readonly string[]): string[] {
  return words.flatMap((word) => new Array(BLOCKING.has(word) ? 1 : WEIGHT_OF_OTHERS).fill(word))
}

/**
 * `count` different targets, in a form that every provider accepts. One target asks for each fault, because a short run
 * might not meet the rare ones by chance. Every request of the `reset-` targets is reset, so the server gives them up.
 */
function makeTargets(count: number, { words, refused = [] }: MisbehaviourCase): string[] {
  const asked = [...words.map((word) => `${word}-once-1`), 'reset-1', 'reset-2', 'reset-3', ...refused]
  const others = Array.from({ length: count - asked.length }, (_, index) => `device-${index}`)
  // Spread over the others, as faults by chance are.
  asked.forEach((target, index) => {
    others.splice(Math.floor(((index + 0.5) / asked.length) * others.length), 0, target)
  })
  return others
}

function makeSettings(
  { dsn, queueSettings }: RunOptions['backend'],
  name: string,
  settings: Settings['push_notifications'],
): Settings {
  return {
    http_api: { key: KEY },
    database: { postgresql: { dsn } },
    push_notifications: { ...settings, enabled_providers: [name], queue: queueSettings },
    worker: { retry_scale: RETRY_SCALE },
  }
}

async function send(url: string, body: object): Promise<void> {
  const request = { method: 'POST', headers: { 'x-api-key': KEY }, body: JSON.stringify(body) }
  const answer = await fetch(`${url}/api/send_push_notification`, request)
  const text = await answer.text()
  if (!text.startsWith('{"result"')) throw new Error(`the send was refused: ${text}`)
}

/** Resolves when the send has ended, or when nothing was sent for `SILENCE_MS`. */
async function waitForEnd(
  queue: Queue,
  uid: string,
  treatments: readonly Treatment[],
  { onProgress, signal }: Pick<RunOptions, 'onProgress' | 'signal'>,
): Promise<void> {
  let seen = 0
  let movedAtMs = Date.now()
  while ((await queue.loadSend(uid)) !== undefined && Date.now() - movedAtMs < SILENCE_MS) {
    if (treatments.length > seen) movedAtMs = Date.now()
    seen = treatments.length
    onProgress?.(seen)
    signal?.throwIfAborted()
    await delay(POLL_MS)
  }
  // The metrics count the last batch shortly after its acknowledgement.
  await delay(POLL_MS)
}
