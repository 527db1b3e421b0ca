// A broadcast from device rows to requests for FCM, with the same text or a personal one for each target.
import { setTimeout as delay } from 'node:timers/promises'
import type { DeviceStore } from '../../src/devices/device-store.ts'
import { ByteWriter } from '../../src/http2/frames/byte-writer.ts'
import type { Http2Client } from '../../src/http2/http2-client.ts'
import type { RateLimiter } from '../../src/limits/rate-limiter.ts'
import type { Logger } from '../../src/observability/log.ts'
import { makeBodyWriter } from '../../src/providers/fcm/message-body.ts'
import type { Batch, Provider, Settle } from '../../src/providers/provider.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { RateLimit } from '../../src/sends/rate-limit.ts'
import type { SendContent, Templating } from '../../src/sends/send-content.ts'
import { makeSend } from '../../tests/queue/make-send.ts'
import { TOPICS } from '../devices/device-data.ts'
import { startParts } from '../queue/queue-way.ts'

const POLL_MS = 5
const HEADERS = { authorization: `Bearer ${'x'.repeat(180)}`, 'content-type': 'application/json' }

const PLAIN_MESSAGE =
  '{"notification":{"title":"Bonjour, Ada Lovelace!","body":"Comment ça va? Your gold plan ends soon."},' +
  '"data":{"id":"1"}}'
const TEMPLATE =
  '{"notification":{"title":"{{default [[Hello]] .l10n.greeting}}, {{.device.meta.first_name}}' +
  ' {{.device.meta.last_name}}!","body":"{{default [[How is it going]] .l10n.question}}?' +
  ' Your {{if eq .device.meta.plan [[gold]]}}gold{{else}}free{{end}} plan ends soon."},"data":{"id":"1"}}'

const TEMPLATING: Templating = {
  usesMeta: true,
  localizations: new Map([
    [
      'fr',
      new Map([
        ['greeting', 'Bonjour'],
        ['question', 'Comment ça va'],
      ]),
    ],
    [
      'pt-BR',
      new Map([
        ['greeting', 'Olá'],
        ['question', 'Como tá indo'],
      ]),
    ],
  ]),
}

const RATE_LIMIT: RateLimit = {
  key: [{ variable: 'id' }],
  policies: [
    { rate: 100, intervalMs: 3_600_000 },
    { rate: 1000, intervalMs: 86_400_000 },
  ],
  isDropped: false,
}

/** `limited` is a plain send with two rate limits for each device, which delay none. */
export type Kind = 'plain' | 'personal' | 'limited'

/** The content of a send of each kind. */
export function contentOf(kind: Kind): SendContent {
  const isPersonal = kind === 'personal'
  const json = Buffer.from(isPersonal ? TEMPLATE : PLAIN_MESSAGE)
  return {
    notifications: new Map([['fcm', { json, headers: new Map<string, string>() }]]),
    analyticsUid: 'bench',
    isReliable: false,
    templating: isPersonal ? TEMPLATING : undefined,
    ...(kind === 'limited' && { rateLimit: RATE_LIMIT }),
  }
}

/** Writes requests as the FCM provider does, into memory or over a client. */
class RequestProvider implements Provider {
  readonly name = 'fcm'
  readonly takesPersonal = true
  readonly #client: Http2Client | undefined
  count = 0

  constructor(client: Http2Client | undefined) {
    this.#client = client
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    const writeBody = makeBodyWriter(batch)
    const onAnswer = (index: number) => settle(index, { kind: 'sent', messageId: '' })
    this.count += batch.targets.length
    if (!this.#client) {
      const out = new ByteWriter()
      for (const index of batch.targets.keys()) {
        writeBody(index, out)
        out.truncate(0)
        onAnswer(index)
      }
      return
    }
    await this.#client.send({
      count: batch.targets.length,
      path: '/send',
      headers: HEADERS,
      writeBody,
      signal,
      onAnswer,
      onFailure: (_, error) => {
        throw error
      },
    })
  }

  async close(): Promise<void> {}
}

/** Sends to all devices of FCM. Resolves to the microseconds of a target. */
export async function measureSend(
  deps: {
    queue: Queue
    rateLimiter: RateLimiter
    store: DeviceStore
    logger: Logger
    client: Http2Client | undefined
  },
  kind: Kind,
): Promise<number> {
  const { queue, rateLimiter, store, logger, client } = deps
  const provider = new RequestProvider(client)
  const parts = startParts(queue, store, provider, logger, rateLimiter)
  const filter = { ids: [], users: [], topics: [TOPICS.all], providers: ['fcm'], platforms: [] }
  const send = makeSend({ content: contentOf(kind), recipient: { kind: 'filter', filter } })
  const start = performance.now()
  await queue.enqueue(send)
  while ((await queue.loadSend(send.uid)) !== undefined) await delay(POLL_MS)
  const elapsedMs = performance.now() - start
  await parts.stop()
  return (elapsedMs * 1000) / provider.count
}
