// Reads the targets of recipients that name a few users or devices. Most sends of a chat or a shop are for one user, so
// the reads that arrive during a statement share the next one. Its rows are found by an index for each name, whatever
// the statistics of the table say.
import * as v from 'valibot'
import type { ProviderName } from '../config/provider-names.ts'
import { type CallDeadline, makeLateError } from '../database/call-deadline.ts'
import { mayBeOfOneCall } from '../database/error-of-one-call.ts'
import type { Fragment, Sql } from '../database/pool.ts'
import { bytes, number } from '../database/raw-columns.ts'
import type { TimedCalls } from '../database/timed-calls.ts'
import { joinLines } from '../sends/line-bytes.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import type { OptionalField } from '../sends/target-line.ts'
import { GroupedCalls } from '../timing/grouped-calls.ts'
import { encodeProvider } from './codes.ts'
import { parseDeviceId } from './device-id.ts'
import {
  aggregateByProvider,
  groupLines,
  selectLine,
  type TargetGroup,
  type TargetPage,
  type TargetPageQuery,
} from './target-page.ts'

/** The most users or devices that a recipient names. */
const MAX_NAMES = 4
/** The most devices of a user. A user with more devices is read in a statement of its own. */
const MAX_DEVICES = 20
/** The most reads that share a statement: with the limits above, its result has at most some MB. */
const MAX_TOGETHER = 64
/** While PostgreSQL executes one statement, the process reads the result of the other. */
const MAX_RUNNING = 2
/** The least time between two statements, in ms: a fifth of the median time of a call at half of the saturation. */
const MIN_INTERVAL_MS = 2

interface Read {
  names: readonly string[]
  deadline: CallDeadline
}

type NameKind = 'users' | 'ids'
type NamedReads = GroupedCalls<Read, TargetPage | undefined>

interface Deps {
  sql: Sql
  calls: TimedCalls
}

/** Reads the pages of recipients that name a few users or devices, many in one statement. */
export class NamedPages {
  readonly #deps: Deps
  /** The reads whose statement is the same. */
  readonly #reads = new Map<string, NamedReads>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /**
   * Reads the only page of a recipient. Resolves to undefined if the recipient names more than a few users or devices,
   * has further conditions, or has too many devices. Rejects when the time of the call has passed.
   */
  async read(filter: DeviceFilter, { after, limit, used = [] }: TargetPageQuery): Promise<TargetPage | undefined> {
    const kind = after === undefined && limit > MAX_NAMES * MAX_DEVICES ? findNameKind(filter) : undefined
    // Devices with time zones are grouped by them, in another statement.
    if (kind === undefined || used.includes('timezone')) return undefined
    const { calls } = this.#deps
    const read = { names: [...new Set(filter[kind])], deadline: calls.startCall() }
    return await calls.answerInTime(this.#readsOf(kind, used).add(read))
  }

  #readsOf(kind: NameKind, used: readonly OptionalField[]): NamedReads {
    const statement = [kind, ...used].join(' ')
    const known = this.#reads.get(statement)
    if (known) return known
    const reads = this.#makeReads(kind, used)
    this.#reads.set(statement, reads)
    return reads
  }

  #makeReads(kind: NameKind, used: readonly OptionalField[]): NamedReads {
    const { sql, calls } = this.#deps
    return new GroupedCalls({
      maxTogether: MAX_TOGETHER,
      maxRunning: MAX_RUNNING,
      minIntervalMs: MIN_INTERVAL_MS,
      findRefusal: ({ deadline }) => (deadline.isPast ? makeLateError() : undefined),
      mayBeOfOneCall,
      run: (group) =>
        // The deadline of the first call is the earliest one.
        calls.runInTurn(group[0]?.deadline ?? calls.startCall(), () =>
          selectPages(sql, { kind, used, recipients: group.map(({ names }) => names) }),
        ),
    })
  }
}

/** Whether the filter names a few users or a few devices and has no other condition; undefined if not. */
function findNameKind({ ids, users, topics, providers, platforms }: DeviceFilter): NameKind | undefined {
  if (topics.length > 0 || providers.length > 0 || platforms.length > 0) return undefined
  if (ids.length === 0 && users.length > 0 && users.length <= MAX_NAMES) return 'users'
  return users.length === 0 && ids.length > 0 && ids.length <= MAX_NAMES ? 'ids' : undefined
}

/** The recipients to read in one statement. */
interface Recipients {
  kind: NameKind
  used: readonly OptionalField[]
  /** The names of each recipient. */
  recipients: readonly (readonly string[])[]
}

/** A row for each name: the index of its recipient, and the lines of each provider. */
const Rows = v.array(v.tupleWithRest([number], v.nullable(bytes)))

/** Resolves to the page of each recipient; undefined for one that has a user with too many devices. */
async function selectPages(sql: Sql, query: Recipients): Promise<(TargetPage | undefined)[]> {
  const { given, matches } = query.kind === 'users' ? giveUsers(sql, query) : giveIds(sql, query)
  const rows = await sql`
    select given.index, lines.*
    from ${given} cross join lateral (
      select ${aggregateByProvider(sql)} from (
        select ${selectLine(sql, query.used)} from devices d where ${matches} order by d.id limit ${MAX_DEVICES + 1}
      ) as page
    ) as lines`.raw()
  const found: TargetGroup[][][] = query.recipients.map(() => [])
  for (const [index, ...texts] of v.parse(Rows, rows)) found[index]?.push(groupLines(texts))
  return found.map(joinPage)
}

/** The names of a statement as SQL. */
interface Names {
  /** The table `given` of names, each with the `index` of its recipient. */
  given: Fragment
  /** The condition for the devices `d` of a name. */
  matches: Fragment
}

function giveUsers(sql: Sql, { recipients }: Recipients): Names {
  const indexes = recipients.flatMap((names, index) => names.map(() => index))
  return {
    given: sql`unnest(${indexes}::int[], ${recipients.flat()}::text[]) as given (index, user_id)`,
    matches: sql`d.user_id = given.user_id`,
  }
}

function giveIds(sql: Sql, { recipients }: Recipients): Names {
  const ids = recipients.flatMap((names, index) =>
    names.flatMap((name) => {
      const id = parseDeviceId(name)
      return id ? [{ index, ...id }] : []
    }),
  )
  return {
    given: sql`
      unnest(
        ${ids.map(({ index }) => index)}::int[], ${ids.map(({ uuid }) => uuid)}::uuid[],
        ${ids.map(({ provider }) => encodeProvider(provider))}::smallint[]
      ) as given (index, id, provider)`,
    // An id with another provider than the stored device is not that device's id.
    matches: sql`d.id = given.id and d.provider = given.provider`,
  }
}

/** Joins the groups of a recipient's names to its page; undefined if there are too many devices. */
function joinPage(found: readonly (readonly TargetGroup[])[]): TargetPage | undefined {
  const isTooLong = found.some((groups) => groups.reduce((sum, { count }) => sum + count, 0) > MAX_DEVICES)
  if (isTooLong) return undefined
  const byProvider = new Map<ProviderName, TargetGroup>()
  for (const group of found.flat()) {
    const known = byProvider.get(group.provider)
    const joined = known && { ...known, count: known.count + group.count, lines: joinLines([known.lines, group.lines]) }
    byProvider.set(group.provider, joined ?? group)
  }
  return { groups: [...byProvider.values()], next: undefined }
}
