// Explains why a push of one send did or did not arrive at a device, or at the devices of a user.
import type { EventReader, RecordedEvent } from '../analytics/analytics.ts'
import { isProviderName, type ProviderName } from '../config/provider-names.ts'
import type { Device } from '../devices/device.ts'
import { parseDeviceId } from '../devices/device-id.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import { checkUser, parseId } from '../devices/field-checks.ts'
import type { RemovedDevice } from '../devices/removal/list-removed.ts'
import { waitForWindow } from '../personalise/time-limit.ts'
import { ApiError } from '../protocol/errors.ts'
import { checkUid } from '../push/uid.ts'
import type { Queue } from '../queue/queue.ts'
import type { SendReport } from '../queue/report.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import type { TimeLimit } from '../sends/time-limit.ts'
import { type CheckName, type Finding, runChecks } from './checks.ts'
import type { PushFacts } from './facts.ts'
import type { Reason } from './reasons.ts'

/** The parts that an explanation reads. */
export interface ExplainDeps {
  queue: Pick<Queue, 'loadReport' | 'loadSend' | 'stats'>
  devices: Pick<DeviceStore, 'list' | 'listRemoved'>
  events: EventReader
  /** The providers that the configuration enables. */
  providers: ReadonlySet<ProviderName>
  /** Whether also sent pushes of broadcasts have rows. */
  hasAllRows: boolean
  /** Unix time in ms. */
  now(): number
}

/** A send, and a device or user. One of the two may be empty. */
export interface ExplainQuery {
  uid: string
  deviceId: string
  user: string
}

/** The explanation for one device. */
export interface Explanation {
  /** Empty if no device of the user is known. */
  deviceId: string
  user: string
  platform: string
  provider: ProviderName | undefined
  reason: Reason
  /** Facts of the reason, such as a code of the provider; empty if there are none. */
  detail: string
  /** All checks in their order. The reason is that of the first one that has a reason. */
  checks: { name: CheckName; finding: Finding }[]
}

/** The most devices of a user that are explained. */
const MAX_DEVICES = 100
/** The most rows that are read. A device has a few for each send. */
const MAX_EVENTS = 1000
const NO_FILTER: DeviceFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }

/**
 * Explains a send for a device, or for each device of a user; if none is known, for the user as such.
 * @throws ApiError badRequest
 */
export async function explainPush(deps: ExplainDeps, query: ExplainQuery): Promise<Explanation[]> {
  checkUid(query.uid)
  if (query.deviceId === '' && query.user === '') {
    throw new ApiError('badRequest', 'user, device_id: one of them is required')
  }
  if (query.deviceId !== '') parseId('device_id', query.deviceId)
  checkUser('user', query.user)
  const report = await deps.queue.loadReport(query.uid)
  const [candidates, live] = await Promise.all([
    findCandidates(deps, query, report?.analyticsUid ?? query.uid),
    report?.state === 'active' ? readLive(deps, query.uid) : undefined,
  ])
  const matched = await findMatched(deps, report, candidates)
  const nowMs = deps.now()
  return candidates.map((candidate) => explain(makeFacts(deps, { candidate, report, matched, live, nowMs })))
}

/** A device, with all that the stores have about it. */
interface Candidate {
  id: string
  user: string
  device: Device | undefined
  removed: RemovedDevice | undefined
  events: RecordedEvent[]
}

/** The devices that the query means: registered, removed, or known only from rows. */
async function findCandidates(deps: ExplainDeps, query: ExplainQuery, uid: string): Promise<Candidate[]> {
  const { deviceId, user } = query
  const users = user === '' ? [] : [user]
  const [registered, removed, ofUser] = await Promise.all([
    deps.devices.list({
      filter: { ...NO_FILTER, ids: deviceId === '' ? [] : [deviceId], users },
      include: { topics: false, meta: false, webPushKeys: false },
      includeTotalCount: false,
      cursor: '',
      limit: MAX_DEVICES,
    }),
    deps.devices.listRemoved({ id: deviceId, user }),
    deviceId === '' ? listEvents(deps, uid, { deviceIds: [], user }) : [],
  ])
  const devices = new Map(registered.items.map((device) => [device.id, device]))
  const removals = new Map(removed.map((device) => [device.id, device]))
  const known = [deviceId, ...devices.keys(), ...removals.keys(), ...ofUser.map((event) => event.deviceId)]
  const ids = [...new Set(known.filter((id) => id !== ''))].slice(0, MAX_DEVICES)
  if (ids.length === 0) return [{ id: '', user, device: undefined, removed: undefined, events: ofUser }]
  // Reports of apps have no user, so the rows are read by device.
  const events = await listEvents(deps, uid, { deviceIds: ids, user: '' })
  return ids.map((id) => ({
    id,
    user: devices.get(id)?.user ?? removals.get(id)?.user ?? (user || findUser(events, id)),
    device: devices.get(id),
    removed: removals.get(id),
    events: events.filter((event) => event.deviceId === id),
  }))
}

function findUser(events: readonly RecordedEvent[], deviceId: string): string {
  return events.find((event) => event.deviceId === deviceId && event.user !== '')?.user ?? ''
}

async function listEvents(
  { events }: ExplainDeps,
  uid: string,
  who: { deviceIds: readonly string[]; user: string },
): Promise<RecordedEvent[]> {
  const page = await events.listEvents({ uid, ...who, includesAttempts: true, cursor: '', limit: MAX_EVENTS })
  return page.events
}

/** The ids of the registered candidates that the filter of the send matches now; undefined if it is not known. */
async function findMatched(
  { devices }: ExplainDeps,
  report: SendReport | undefined,
  candidates: readonly Candidate[],
): Promise<ReadonlySet<string> | undefined> {
  const recipient = report?.subject?.recipient
  if (recipient?.kind !== 'filter' || !recipient.filter) return undefined
  const { ids } = recipient.filter
  const named = candidates.map(({ id }) => id).filter((id) => id !== '' && (ids.length === 0 || ids.includes(id)))
  if (named.length === 0) return new Set()
  const page = await devices.list({
    filter: { ...recipient.filter, ids: named },
    include: { topics: false, meta: false, webPushKeys: false },
    includeTotalCount: false,
    cursor: '',
    limit: named.length,
  })
  return new Set(page.items.map(({ id }) => id))
}

/** The facts of a send that is not ended. */
interface LiveFacts {
  timeLimit: TimeLimit | undefined
  pauses: ReadonlyMap<ProviderName, Exclude<PushFacts['pause'], undefined>>
}

async function readLive({ queue }: ExplainDeps, uid: string): Promise<LiveFacts> {
  const [send, stats] = await Promise.all([queue.loadSend(uid), queue.stats()])
  return {
    timeLimit: send?.content?.timeLimit,
    pauses: new Map(
      stats.pauses.map(({ provider, reason, probeInMs }) => [provider, { reason, isProbed: probeInMs !== undefined }]),
    ),
  }
}

function makeFacts(
  deps: ExplainDeps,
  given: {
    candidate: Candidate
    report: SendReport | undefined
    matched: ReadonlySet<string> | undefined
    live: LiveFacts | undefined
    nowMs: number
  },
): PushFacts {
  const { candidate, report, matched, live, nowMs } = given
  const { id, user, device, removed, events } = candidate
  const provider = parseDeviceId(id)?.provider ?? events.map((event) => event.provider).find(isProviderName)
  const timeLimit = live?.timeLimit
  return {
    deviceId: id,
    user,
    platform: device?.platform ?? removed?.platform ?? events.find(({ platform }) => platform !== '')?.platform ?? '',
    provider,
    report,
    device: device && { createdAtMs: device.createdAtSeconds * 1000, isMatched: matched?.has(id) },
    removal: removed && { atMs: removed.removedAtMs, reason: removed.reason },
    events,
    hasAllRows: deps.hasAllRows,
    isEnabled: provider === undefined || deps.providers.has(provider),
    pause: provider && live?.pauses.get(provider),
    windowWaitMs: timeLimit && device ? waitForWindow(timeLimit, device.timezone, nowMs) : 0,
    nowMs,
  }
}

function explain(facts: PushFacts): Explanation {
  const { deviceId, user, platform, provider } = facts
  const checks = runChecks(facts)
  const first = checks.map(({ finding }) => finding).find((finding) => finding.kind === 'reason')
  if (!first) throw new Error('no check explains the push, although the last one always does')
  return { deviceId, user, platform, provider, reason: first.reason, detail: first.detail ?? '', checks }
}
