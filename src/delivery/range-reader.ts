// Reads the devices of range batches. A worker claims several batches at a time, most of them with neighbouring ranges
// of one send. Neighbouring ranges are read in one query, because planning and starting a query costs as much as
// reading 500 devices.
import type { ProviderName } from '../config/provider-names.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import { type DeviceRange, RANGE_DEVICES } from '../queue/batch.ts'
import type { StoredSend } from '../queue/send.ts'
import { findAddressedProviders } from '../sends/addressed-providers.ts'
import { decodeLines } from '../sends/line-bytes.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import { findUsedFields } from '../sends/used-fields.ts'
import type { SkippedDevices } from './open-batch.ts'

/** The length of a uuid as text. Each line of a device begins with one. */
const UUID_LENGTH = 36

/** A claimed batch with a range. */
export interface RangeBatch {
  id: string
  uid: string
  provider: ProviderName
  range: DeviceRange
  /** The number of devices of all providers that the range had when it was found. */
  count: number
}

/** Neighbouring ranges of one send, which are read in one query. */
type RangeGroup = [RangeBatch, ...RangeBatch[]]

/** The targets of a range batch. */
export interface RangeTargets {
  lines: string[]
  /** The part of the range beyond the most targets of a batch; undefined: the range was read to its end. */
  rest: DeviceRange | undefined
  /** Devices that get no push. They are those of the range without the rest, and belong to this batch only. */
  skipped: SkippedDevices[]
}

const NO_TARGETS: RangeTargets = { lines: [], rest: undefined, skipped: [] }

interface Deps {
  devices: Pick<DeviceStore, 'pageTargets'>
  /** The enabled providers. */
  providers: ReadonlySet<ProviderName>
  /** Loads a send from a cache, or again if `isComplete` refuses the cached one. */
  loadSend(uid: string, isComplete: (send: StoredSend) => boolean): Promise<StoredSend | undefined>
}

/** Reads the devices of range batches. */
export class RangeReader {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Reads the targets of each batch, by its id. A batch of a send that has ended has no targets. */
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
      if (send?.content) throw new Error(`send ${uid} has a range batch, but its recipient is not a filter`)
      return new Map()
    }
    const { lines, readUntil } = await this.#query(send, send.recipient.filter, group)
    const sent = send.content && findAddressedProviders(send.recipient.filter, send.content, this.#deps.providers)
    return new Map(
      group.map(({ id, provider, range }) => {
        const read = limit(cut(lines.get(provider) ?? [], range), range, readUntil)
        // A range has one batch for each addressed provider. Only that of the first one counts the skipped devices, so
        // that they count once.
        const skipped = provider === sent?.[0] ? listSkipped(lines, sent, untilRest(range, read.rest)) : []
        return [id, { ...read, skipped }]
      }),
    )
  }

  /**
   * Reads the whole ranges, with all providers. The query has a limit instead of an upper bound: for ranges behind the
   * last value in the statistics of the table the planner expects one row, and would choose a plan of quadratic time.
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
      /** The last device that was read; undefined: all devices were read. */
      readUntil: next,
    }
  }
}

/** Groups the batches of one send with overlapping or adjacent ranges, in the order of their devices. */
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

/** Cuts out the lines of the devices in a range. Lines are in the order of their devices. */
function cut(lines: readonly string[], { after = '', until }: DeviceRange): string[] {
  return lines.slice(countUntil(lines, after), countUntil(lines, until))
}

/** The number of lines of devices up to this one, by binary search. */
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

/** The devices of a range that get no push, because the send has no notification for their provider. */
function listSkipped(
  lines: ReadonlyMap<ProviderName, string[]>,
  sent: readonly ProviderName[],
  range: DeviceRange,
): SkippedDevices[] {
  return [...lines].flatMap(([provider, found]): SkippedDevices[] => {
    const skipped = sent.includes(provider) ? [] : cut(found, range)
    return skipped.length === 0 ? [] : [{ provider, reason: 'no_notification', lines: skipped }]
  })
}

/** A range without its rest, which is at its end. */
function untilRest(range: DeviceRange, rest: DeviceRange | undefined): DeviceRange {
  return rest ? { ...range, until: rest.after ?? '' } : range
}

/** The targets of a batch, as many as it may have, and the rest of its range. */
function limit(
  lines: string[],
  range: DeviceRange,
  readUntil: string | undefined,
): Pick<RangeTargets, 'lines' | 'rest'> {
  if (lines.length > RANGE_DEVICES) {
    const kept = lines.slice(0, RANGE_DEVICES)
    return { lines: kept, rest: { after: deviceOf(kept.at(-1) ?? ''), until: range.until } }
  }
  const isWhole = readUntil === undefined || readUntil >= range.until
  if (isWhole) return { lines, rest: undefined }
  const { after = '' } = range
  return { lines, rest: { after: readUntil > after ? readUntil : range.after, until: range.until } }
}
