// Reads the devices of range batches. A worker claims several batches at a time, most of them neighbours of one send:
// neighbouring ranges are read in one query, because planning and starting a query costs as much as reading 500 devices.
import type { ProviderName } from '../config/provider-names.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import { type DeviceRange, RANGE_DEVICES } from '../queue/batch.ts'
import type { StoredSend } from '../queue/send.ts'
import { findAddressedProviders } from '../sends/addressed-providers.ts'
import { decodeLines } from '../sends/line-bytes.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import type { SkipReason } from '../sends/skip-reason.ts'
import { findUsedFields } from '../sends/used-fields.ts'

/** Length of a uuid as text, with which the line of a device begins. */
const UUID_LENGTH = 36
/** A range batch whose devices are to be read. */
export interface RangeBatch {
  id: string
  uid: string
  provider: ProviderName
  range: DeviceRange
  /** Devices of all providers that the range had when it was found. */
  count: number
  /** Devices that are not sent to are counted in the first attempt. */
  attempt: number
}

/** Neighbouring ranges of one send, which are read in one query. */
type RangeGroup = [RangeBatch, ...RangeBatch[]]

/** The targets of a range batch. */
export interface RangeTargets {
  lines: string[]
  /** The part of the range that was not read because more devices are in it than a batch may have. */
  rest: DeviceRange | undefined
}

const NO_TARGETS: RangeTargets = { lines: [], rest: undefined }

interface Deps {
  devices: Pick<DeviceStore, 'pageTargets'>
  /** The enabled providers. */
  providers: ReadonlySet<ProviderName>
  /** Loads a send from a cache, or again if `isComplete` refuses the cached one. */
  loadSend(uid: string, isComplete: (send: StoredSend) => boolean): Promise<StoredSend | undefined>
  /** Counts devices that are not sent to. */
  onSkipped(provider: ProviderName, count: number, reason: SkipReason): void
}

/** Reads the devices of range batches. */
export class RangeReader {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The targets of each batch, by its id. A batch whose send has ended has none. */
  read(batches: readonly RangeBatch[]): Map<string, Promise<RangeTargets>> {
    return new Map(
      groupNeighbours(batches).flatMap((group) => {
        const reading = this.#readGroup(group)
        return group.map(({ id }) => [id, reading.then((targets) => targets.get(id) ?? NO_TARGETS)] as const)
      }),
    )
  }

  async #readGroup(group: RangeGroup): Promise<Map<string, RangeTargets>> {
    const { uid } = group[0]
    // A send that was cached before its first range was stored has no recipient in the cache.
    const send = await this.#deps.loadSend(uid, ({ recipient }) => recipient !== undefined)
    if (send?.recipient?.kind !== 'filter') {
      if (send?.content) throw new Error('a range batch of a send without a filter')
      return new Map()
    }
    const { lines, readUntil } = await this.#query(send, send.recipient.filter, group)
    this.#countSkipped(send, send.recipient.filter, group, lines)
    return new Map(
      group.map(({ id, provider, range }) => [id, limit(cut(lines.get(provider) ?? [], range), range, readUntil)]),
    )
  }

  /**
   * Reads the ranges whole, with all providers. An upper bound in the query would not help: behind the last value that the
   * statistics of the table know the planner expects one row in a range, and chooses a plan that is quadratic.
   */
  async #query({ content }: StoredSend, filter: DeviceFilter, group: RangeGroup) {
    const counts = new Map(group.map(({ range, count }) => [range.until, count]))
    const { groups, next } = await this.#deps.devices.pageTargets(filter, {
      after: group[0].range.after,
      limit: [...counts.values()].reduce((sum, count) => sum + count, 0),
      used: content ? findUsedFields(content) : [],
    })
    return {
      lines: new Map(groups.map(({ provider, lines }) => [provider, decodeLines(lines)])),
      /** Undefined: to the end. */
      readUntil: next,
    }
  }

  /** Devices that are not sent to are counted with the batches of the first provider that is, in their first attempt. */
  #countSkipped(
    { content }: StoredSend,
    filter: DeviceFilter,
    group: RangeGroup,
    lines: ReadonlyMap<ProviderName, string[]>,
  ) {
    if (!content) return
    const sent = findAddressedProviders(filter, content, this.#deps.providers)
    for (const [provider, found] of lines) {
      if (sent.includes(provider)) continue
      const firsts = group.filter((batch) => batch.attempt === 1 && batch.provider === sent[0])
      const count = firsts.reduce((sum, { range }) => sum + cut(found, range).length, 0)
      if (count > 0) this.#deps.onSkipped(provider, count, 'no_notification')
    }
  }
}

/** The batches of one send whose ranges overlap or follow each other, in the order of their devices. */
function groupNeighbours(batches: readonly RangeBatch[]): RangeGroup[] {
  const ordered = [...batches].sort(
    (a, b) => compare(a.uid, b.uid) || compare(a.range.after ?? '', b.range.after ?? ''),
  )
  const groups: RangeGroup[] = []
  let until = ''
  for (const batch of ordered) {
    const group = groups.at(-1)
    const isNeighbour = group?.[0].uid === batch.uid && (batch.range.after ?? '') <= until
    if (isNeighbour) group?.push(batch)
    else groups.push([batch])
    until = isNeighbour && until > batch.range.until ? until : batch.range.until
  }
  return groups
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The lines of devices in a range. Lines are in the order of their devices. */
function cut(lines: readonly string[], { after = '', until }: DeviceRange): string[] {
  return lines.slice(countUntil(lines, after), countUntil(lines, until))
}

/** How many lines are of devices up to this one: a binary search. */
function countUntil(lines: readonly string[], device: string): number {
  let from = 0
  let to = lines.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (deviceOf(lines[middle] ?? '') <= device) from = middle + 1
    else to = middle
  }
  return from
}

function deviceOf(line: string): string {
  return line.slice(0, UUID_LENGTH)
}

/** At most as many targets as a batch may have, and the rest of the range. */
function limit(lines: string[], range: DeviceRange, readUntil: string | undefined): RangeTargets {
  if (lines.length > RANGE_DEVICES) {
    const kept = lines.slice(0, RANGE_DEVICES)
    return { lines: kept, rest: { after: deviceOf(kept.at(-1) ?? ''), until: range.until } }
  }
  const isWhole = readUntil === undefined || readUntil >= range.until
  if (isWhole) return { lines, rest: undefined }
  const { after = '' } = range
  return { lines, rest: { after: readUntil > after ? readUntil : range.after, until: range.until } }
}
