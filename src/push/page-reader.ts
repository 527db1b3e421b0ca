// Turns recipients into batches, page by page. A page begins at the end of the page before, so that another worker can
// continue the walk.
//
//   a broadcast to a filter ──▶ ranges: their ends are read from an index, and their workers read the devices
//   all other recipients    ──▶ lines: raw tokens, and devices that have to be read now (canUseRanges)
import type { ProviderName } from '../config/provider-names.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import type { TargetGroup } from '../devices/target-page.ts'
import { type NewBatch, RANGE_DEVICES } from '../queue/batch.ts'
import type { Lane } from '../queue/lane.ts'
import type { LeftOut, Page } from '../queue/send.ts'
import { findAddressedProviders } from '../sends/addressed-providers.ts'
import { splitLines } from '../sends/line-bytes.ts'
import type { Recipient } from '../sends/recipient.ts'
import type { SendContent } from '../sends/send-content.ts'
import { encodeNativeTargets } from '../sends/target-line.ts'
import { findUsedFields } from '../sends/used-fields.ts'
import { laneOf, SMALL_SEND } from './recipient.ts'
import { groupByWindow } from './window-groups.ts'

/**
 * The most devices of a page of lines: enough to make the fixed cost of a page small, few enough to read it well within
 * a lease.
 */
const PAGE_DEVICES = 10_000
/**
 * The devices of a page of ranges: ten full ranges, so that only the last range of a send has fewer devices than the
 * others.
 */
const PAGE_RANGE_DEVICES = 10 * RANGE_DEVICES
type NativeRecipient = Extract<Recipient, { kind: 'native' }>
type FilterRecipient = Extract<Recipient, { kind: 'filter' }>
/** The parts of a send's content that determine its batches. */
type PageContent = Pick<SendContent, 'notifications' | 'templating' | 'timeLimit' | 'isReliable'>

/** The parts of a send that its fan-out needs. */
export interface WalkedSend {
  recipient: Recipient
  content: PageContent
}

/** The parts that a page reader needs. */
export interface PageReaderDeps {
  /** The device store; undefined without a database. Then no send with a filter is accepted. */
  devices: Pick<DeviceStore, 'pageTargets' | 'findRanges'> | undefined
  /** The most targets of a batch for each enabled provider. */
  batchSizes: ReadonlyMap<ProviderName, number>
  /** Returns the current Unix time in ms. */
  now(): number
}

/** Reads the recipients of sends for fan-out, page by page: each page as batches and the cursor of the next page. */
export class PageReader {
  readonly #deps: PageReaderDeps

  constructor(deps: PageReaderDeps) {
    this.#deps = deps
  }

  /** Reads the page of a recipient after `cursor`; undefined: the first page. */
  async read({ recipient, content }: WalkedSend, cursor: string | undefined): Promise<Page> {
    if (recipient.kind === 'native') return this.#readValues(recipient, cursor)
    return canUseRanges(recipient, content)
      ? await this.#readRanges(recipient, content, cursor)
      : await this.#readDevices(recipient, content, cursor)
  }

  /**
   * Reads a page of raw tokens, topics or conditions. The cursor is the index of the first value that is in no batch
   * yet.
   */
  #readValues(recipient: NativeRecipient, cursor: string | undefined): Page {
    const from = Number(cursor ?? 0)
    const to = Math.min(from + PAGE_DEVICES, recipient.values.length)
    const lines = encodeNativeTargets(recipient.values.slice(from, to))
    const { provider, targetKind } = recipient
    return {
      batches: this.#split({ provider, lane: laneOf(recipient), targetKind }, lines, to - from),
      cursor: to < recipient.values.length ? String(to) : undefined,
    }
  }

  /**
   * Reads a page of ranges: a batch for each range and each provider that the send goes to. The cursor is the uuid of
   * the last device in the last range.
   */
  async #readRanges({ filter }: FilterRecipient, content: PageContent, cursor: string | undefined): Promise<Page> {
    const query = { after: cursor, limit: PAGE_RANGE_DEVICES, size: RANGE_DEVICES }
    const { ends, hasMore } = await this.#devices().findRanges(filter, query)
    const providers = findAddressedProviders(filter, content, this.#deps.batchSizes)
    const batches = ends.flatMap((until, index): NewBatch[] => {
      const range = { after: index === 0 ? cursor : ends[index - 1], until }
      return providers.map((provider) => ({
        provider,
        lane: 'broadcast',
        targetKind: 'token',
        targets: { kind: 'range', range },
        count: RANGE_DEVICES,
      }))
    })
    return { batches, cursor: hasMore ? ends.at(-1) : undefined }
  }

  /** Reads a page of devices as lines. The cursor is the uuid of the last device of the page. */
  async #readDevices(recipient: FilterRecipient, content: PageContent, cursor: string | undefined): Promise<Page> {
    const query = { after: cursor, limit: PAGE_DEVICES, used: findUsedFields(content) }
    const { groups, next } = await this.#devices().pageTargets(recipient.filter, query)
    const lane = laneOfPage(recipient, groups, next)
    const { chosen, leftOut } = this.#chooseGroups(content, groups)
    const batches = chosen.flatMap(({ provider, lines, count, delayMs = 0 }) =>
      this.#split({ provider, lane, targetKind: 'token', delayMs }, lines, count),
    )
    return { batches, leftOut, cursor: next }
  }

  /** Chooses the groups of devices that get a push, each with its delay. */
  #chooseGroups(
    content: PageContent,
    groups: readonly TargetGroup[],
  ): { chosen: (TargetGroup & { delayMs?: number })[]; leftOut: LeftOut[] } {
    const { timeLimit } = content
    const chosen = groups.filter(({ provider }) => this.#isSentTo(content, provider))
    const skipped = groups.filter(({ provider }) => !this.#isSentTo(content, provider))
    const leftOut = skipped.map((group): LeftOut => ({ ...group, reason: 'no_notification' }))
    if (!timeLimit) return { chosen, leftOut }
    const { open, closed } = groupByWindow(chosen, timeLimit, this.#deps.now())
    return {
      chosen: open,
      leftOut: [...leftOut, ...closed.map((group): LeftOut => ({ ...group, reason: 'no_timezone' }))],
    }
  }

  #isSentTo({ notifications }: PageContent, provider: ProviderName): boolean {
    return notifications.has(provider) && this.#deps.batchSizes.has(provider)
  }

  #split(batch: Omit<NewBatch, 'targets' | 'count'>, lines: Buffer, count: number): NewBatch[] {
    const size = this.#deps.batchSizes.get(batch.provider) ?? count
    return splitLines(lines, count, size).map((part) => ({
      ...batch,
      targets: { kind: 'lines', lines: part.lines },
      count: part.count,
    }))
  }

  #devices(): Pick<DeviceStore, 'pageTargets' | 'findRanges'> {
    const { devices } = this.#deps
    if (!devices) throw new Error('a send with a filter needs the device store')
    return devices
  }
}

/**
 * Whether a broadcast may be stored as ranges, so that its devices are read when the batches are sent. Three kinds of
 * sends need lines. With `optimize_for_reliability`, the stored progress refers to targets by their position in a
 * batch. With a time limit, the time zone of a device determines its delay. And with listed ids or users, no index
 * finds the end of a range faster than its devices.
 */
function canUseRanges({ filter }: FilterRecipient, { isReliable, timeLimit }: PageContent): boolean {
  return !isReliable && !timeLimit && filter.ids.length === 0 && filter.users.length === 0
}

/**
 * The lane of a page. A user can have any number of devices, so a send to users is small only if the page has few
 * targets.
 */
function laneOfPage(recipient: Recipient, groups: readonly TargetGroup[], next: string | undefined): Lane {
  const count = groups.reduce((sum, group) => sum + group.count, 0)
  return next === undefined && count <= SMALL_SEND ? laneOf(recipient) : 'broadcast'
}
