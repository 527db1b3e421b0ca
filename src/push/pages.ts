// Recipients to batches, page by page. A page starts where the last one ended, so the walk can go on in another worker.
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'
import type { TargetPage } from '../devices/target-page.ts'
import type { Lane, NewBatch, Page, QueuedTarget, Recipient, RecipientFilter, Send } from '../queue/queue.ts'
import { laneOf, SMALL_SEND } from './recipient.ts'

/** Targets read and written at a time: enough to make a page's fixed cost small, few enough to stay under a lease. */
const PAGE_TARGETS = 5000

export interface PageReaderDeps {
  /** Undefined without a database; then no send with a filter was accepted. */
  pageTargets: ((filter: RecipientFilter, after: string | undefined, limit: number) => Promise<TargetPage>) | undefined
  /** The providers that are sent to, each with the targets that one batch of it may have. */
  batchSizes: ReadonlyMap<ProviderName, number>
  /** Told how many devices were passed over because the request has nothing for their provider. */
  onSkipped(provider: ProviderName, count: number): void
}

export class PageReader {
  readonly #deps: PageReaderDeps

  constructor(deps: PageReaderDeps) {
    this.#deps = deps
  }

  /** The batches for the recipients after `cursor`, undefined being the start. */
  read(send: Pick<Send, 'recipient' | 'notifications'>, cursor: string | undefined): Promise<Page> {
    return send.recipient.kind === 'native'
      ? Promise.resolve(this.#readValues(send.recipient, cursor))
      : this.#readDevices(send, send.recipient.filter, cursor)
  }

  /** The cursor is the index of the first value not yet in a batch. */
  #readValues(recipient: Extract<Recipient, { kind: 'native' }>, cursor: string | undefined): Page {
    const from = Number(cursor ?? 0)
    const to = Math.min(from + PAGE_TARGETS, recipient.values.length)
    const targets = recipient.values.slice(from, to).map((value) => ({ deviceId: '', value }))
    return {
      batches: this.#split(recipient.provider, laneOf(recipient), recipient.targetKind, targets),
      cursor: to < recipient.values.length ? String(to) : undefined,
    }
  }

  /** The cursor is the id of the last device read. */
  async #readDevices(
    { recipient, notifications }: Pick<Send, 'recipient' | 'notifications'>,
    filter: RecipientFilter,
    cursor: string | undefined,
  ): Promise<Page> {
    if (!this.#deps.pageTargets) throw new Error('a send with a filter needs the device store')
    const { targets, next } = await this.#deps.pageTargets(filter, cursor, PAGE_TARGETS)
    // A user can have any number of devices: a send is small when its targets are few.
    const isSmall = next === undefined && targets.length <= SMALL_SEND
    const lane = isSmall ? laneOf(recipient) : 'broadcast'
    const batches = PROVIDER_NAMES.flatMap((provider) => {
      const own = targets.filter((target) => target.provider === provider)
      if (notifications.has(provider) && this.#deps.batchSizes.has(provider)) {
        const queued = own.map(({ deviceId, token }) => ({ deviceId, value: token }))
        return this.#split(provider, lane, 'token', queued)
      }
      if (own.length > 0) this.#deps.onSkipped(provider, own.length)
      return []
    })
    return { batches, cursor: next }
  }

  #split(provider: ProviderName, lane: Lane, targetKind: NewBatch['targetKind'], targets: QueuedTarget[]): NewBatch[] {
    const size = this.#deps.batchSizes.get(provider) ?? targets.length
    const batches: NewBatch[] = []
    for (let at = 0; at < targets.length; at += size) {
      batches.push({ provider, lane, targetKind, targets: targets.slice(at, at + size) })
    }
    return batches
  }
}
