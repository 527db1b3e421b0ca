// Recipients to batches, page by page. A page starts where the last one ended, so the walk can go on in another worker.
import type { ProviderName } from '../config/provider-names.ts'
import type { TargetColumn, TargetPage } from '../devices/target-page.ts'
import type { DeviceRange, Lane, NewBatch, Page, Recipient, RecipientFilter, SendContent } from '../queue/queue.ts'
import { cutLines, encodeNativeTargets, splitLines } from '../queue/targets.ts'
import { laneOf, SMALL_SEND } from './recipient.ts'
import { groupByWindow, type ZoneGroup } from './window-groups.ts'

/** Targets read and written at a time: enough to make a page's fixed cost small, few enough to stay under a lease. */
const PAGE_TARGETS = 10_000

export interface PageReaderDeps {
  /** Undefined without a database; then no send with a filter was accepted. */
  pageTargets:
    | ((
        filter: RecipientFilter,
        after: string | undefined,
        limit: number,
        used: readonly TargetColumn[],
      ) => Promise<TargetPage>)
    | undefined
  /** Undefined as `pageTargets` is. */
  findPageEnd:
    | ((filter: RecipientFilter, after: string | undefined, limit: number) => Promise<string | undefined>)
    | undefined
  /** The providers that are sent to, each with the targets that one batch of it may have. */
  batchSizes: ReadonlyMap<ProviderName, number>
  /** Told how many devices are not sent to, and why. */
  onSkipped(provider: ProviderName, count: number, reason: SkipReason): void
  /** Unix time in ms. */
  now(): number
}

/** The request has nothing for their provider; or hours of the day, and they no time zone. */
export type SkipReason = 'no_notification' | 'no_timezone'

/** What a page is made from. */
export interface PagedSend {
  recipient: Recipient
  content: Pick<SendContent, 'notifications' | 'templating' | 'timeLimit'>
}

/** What is in a range of devices. */
export interface RangeRead {
  batches: NewBatch[]
  /** Devices that are not sent to: the request has nothing for their provider. */
  skipped: { provider: ProviderName; count: number }[]
}

export class PageReader {
  readonly #deps: PageReaderDeps

  constructor(deps: PageReaderDeps) {
    this.#deps = deps
  }

  /** The batches for the recipients after `cursor`, undefined being the start. */
  read({ recipient, content }: PagedSend, cursor: string | undefined): Promise<Page> {
    return recipient.kind === 'native'
      ? Promise.resolve(this.#readValues(recipient, cursor))
      : this.#readDevices(recipient, content, cursor)
  }

  /**
   * Where the page after `cursor` ends, so that the next one can be read at the same time: its last device; undefined when
   * fewer than `limit` are left.
   */
  findEnd({ recipient }: PagedSend, cursor: string | undefined, limit: number): Promise<string | undefined> {
    if (recipient.kind !== 'filter' || !this.#deps.findPageEnd) throw new Error('only devices have ranges')
    return this.#deps.findPageEnd(recipient.filter, cursor, limit)
  }

  /** The recipients that are in a range now, of one provider or of all. @param limit devices read at a time */
  async readRange(
    { recipient, content }: PagedSend,
    { after, until }: DeviceRange,
    limit: number,
    provider?: ProviderName,
  ): Promise<RangeRead> {
    if (recipient.kind !== 'filter' || !this.#deps.pageTargets) throw new Error('only devices have ranges')
    const filter = provider ? { ...recipient.filter, providers: [provider] } : recipient.filter
    const read: RangeRead = { batches: [], skipped: [] }
    let from = after
    do {
      // Devices may have come or gone since the range was found.
      const { groups, next } = await this.#deps.pageTargets(filter, from, limit, usedColumns(content))
      for (const { provider, lines, count } of groups) {
        const part = until === undefined ? { lines, count } : cutLines(lines, count, until)
        const batch: NewBatch = { provider, lane: 'broadcast', targetKind: 'token', ...part }
        if (this.#isWanted(content, batch)) read.batches.push(...this.#split(batch))
        else read.skipped.push(batch)
      }
      from = next
    } while (from !== undefined && (until === undefined || from < until))
    return read
  }

  /** To be told once for what was read of a range, however often that was. */
  tellSkipped({ skipped }: RangeRead): void {
    this.#skip(skipped, 'no_notification')
  }

  /** The cursor is the index of the first value not yet in a batch. */
  #readValues(recipient: Extract<Recipient, { kind: 'native' }>, cursor: string | undefined): Page {
    const from = Number(cursor ?? 0)
    const to = Math.min(from + PAGE_TARGETS, recipient.values.length)
    const lines = encodeNativeTargets(recipient.values.slice(from, to))
    const { provider, targetKind } = recipient
    return {
      batches: this.#split({ provider, lane: laneOf(recipient), targetKind, lines, count: to - from }),
      cursor: to < recipient.values.length ? String(to) : undefined,
    }
  }

  /** The cursor is the uuid of the last device read. */
  async #readDevices(
    recipient: Extract<Recipient, { kind: 'filter' }>,
    content: PagedSend['content'],
    cursor: string | undefined,
  ): Promise<Page> {
    if (!this.#deps.pageTargets) throw new Error('a send with a filter needs the device store')
    const used = usedColumns(content)
    const { groups, next } = await this.#deps.pageTargets(recipient.filter, cursor, PAGE_TARGETS, used)
    const lane = this.#laneOfPage(recipient, groups, next)
    const batches = this.#chooseGroups(content, groups).flatMap(({ provider, lines, count, delayMs = 0 }) =>
      this.#split({ provider, lane, targetKind: 'token', lines, count, delayMs }),
    )
    return { batches, cursor: next }
  }

  /** Those that are sent to, and when. */
  #chooseGroups(content: PagedSend['content'], groups: readonly ZoneGroup[]): (ZoneGroup & { delayMs?: number })[] {
    const wanted = groups.filter((group) => this.#isWanted(content, group))
    this.#skip(
      groups.filter((group) => !wanted.includes(group)),
      'no_notification',
    )
    const { timeLimit } = content
    if (!timeLimit) return wanted
    const { open, closed } = groupByWindow(wanted, timeLimit, this.#deps.now())
    this.#skip(closed, 'no_timezone')
    return open
  }

  #isWanted({ notifications }: PagedSend['content'], { provider }: Pick<ZoneGroup, 'provider'>): boolean {
    return notifications.has(provider) && this.#deps.batchSizes.has(provider)
  }

  #skip(groups: readonly Pick<ZoneGroup, 'provider' | 'count'>[], reason: SkipReason): void {
    for (const { provider, count } of groups) this.#deps.onSkipped(provider, count, reason)
  }

  /** A user can have any number of devices: a send is small when its targets are few. */
  #laneOfPage(recipient: Recipient, groups: readonly ZoneGroup[], next: string | undefined): Lane {
    const count = groups.reduce((sum, group) => sum + group.count, 0)
    return next === undefined && count <= SMALL_SEND ? laneOf(recipient) : 'broadcast'
  }

  #split({ lines, count, ...batch }: NewBatch): NewBatch[] {
    const size = this.#deps.batchSizes.get(batch.provider) ?? count
    return splitLines(lines, count, size).map((part) => ({ ...batch, ...part }))
  }
}

/** What a send uses of its devices besides what every target has. */
export function usedColumns({ templating, timeLimit }: PagedSend['content']): TargetColumn[] {
  const used: TargetColumn[] = []
  if (timeLimit) used.push('timezone')
  if (templating && templating.localizations.size > 0) used.push('locale')
  if (templating?.usesMeta) used.push('meta')
  return used
}
