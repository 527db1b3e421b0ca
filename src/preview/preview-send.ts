// Previews a request to send for one device. It renders and checks limits with the code of delivery, but sends and
// stores nothing and takes no grant of a rate limit.
import type { ProviderName } from '../config/provider-names.ts'
import { admitTargets } from '../delivery/admit-targets.ts'
import { findTranslation, renderNotifications } from '../delivery/personal-notifications.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import { parseId } from '../devices/field-checks.ts'
import type { RateLimiter } from '../limits/rate-limiter.ts'
import { ApiError } from '../protocol/errors.ts'
import type { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import { readSend, type SendChecks } from '../push/read-send.ts'
import type { Send } from '../queue/send.ts'
import { findNotificationProblem } from '../rules/notification-problem.ts'
import { findMaxBytes, measureNotification } from '../rules/notification-size.ts'
import { describeProblem } from '../rules/problem.ts'
import { readWebPushHeaders } from '../rules/webpush/headers.ts'
import type { Notification } from '../sends/notification.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import { type OptionalField, readField } from '../sends/target-line.ts'
import { findUsedFields } from '../sends/used-fields.ts'

/** The parts that a preview needs. */
export interface PreviewDeps extends SendChecks {
  devices: Pick<DeviceStore, 'pageTargets'>
  rateLimiter: Pick<RateLimiter, 'readWait'>
  /** Returns the current Unix time in ms. */
  now(): number
}

/** The notification of the request for one provider, rendered for the device. */
export interface PreviewPart {
  provider: ProviderName
  headers: ReadonlyMap<string, string>
  /** The rendered bytes of `message` or `payload`. */
  json: Buffer
  /** The bytes that the provider counts, and the most that it accepts. */
  bytes: number
  maxBytes: number
  /** Why the provider refuses this notification, with the path of its field; undefined if it accepts it. */
  problem: string | undefined
}

/**
 * When the push would be sent to the device, as Unix time in ms: the earliest time, with the delay of the rate limit.
 */
export type PreviewTime = { kind: 'at'; atMs: number } | { kind: 'expired'; atMs: number } | { kind: 'no_timezone' }

/** Whether the rate limit would delay or drop the push. For a scheduled send this is only known when it is sent. */
export type PreviewRate = { kind: 'free' } | { kind: 'delayed' | 'dropped'; waitMs: number }

/** The preview of a request to send, for one device. */
export interface Preview {
  /** The provider of the device. If the request has no notification for this provider, the device gets no push. */
  provider: ProviderName
  /** Whether the request's filter matches the device. */
  isRecipient: boolean
  /** The notification for each provider of the request, rendered with the values of this device. */
  parts: PreviewPart[]
  /** The locale of the device; empty if it has none. */
  locale: string
  /** The locale of the translations that the device gets; undefined if it gets the defaults. */
  translation: string | undefined
  /** The time zone of the device; empty if it has none. */
  timezone: string
  time: PreviewTime
  /** The state of the rate limit; undefined if the request has none. */
  rate: PreviewRate | undefined
}

const NO_FILTER: DeviceFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }

/**
 * Previews a request for a device.
 * @throws ApiError as `acceptSend` does, and notFound for a device that is not stored
 */
export async function previewSend(
  deps: PreviewDeps,
  request: SendPushNotificationRequest,
  deviceId: string,
): Promise<Preview> {
  const { provider } = parseId('device', deviceId)
  const send = readSend(request, deps)
  const { recipient, content } = send
  if (recipient.kind !== 'filter') throw new ApiError('badRequest', 'recipient: a preview needs a filter')
  const device = { ...NO_FILTER, ids: [deviceId] }
  const line = await findLine(deps, device, findUsedFields(content))
  const described = await findLine(deps, device, ['timezone', 'locale'])
  if (line === undefined || described === undefined) throw new ApiError('notFound', 'device: is not stored')
  const { ids } = recipient.filter
  const isNamed = ids.length === 0 || ids.includes(deviceId)
  const rate = await findRate(deps, send, line)
  const locale = readField(described, 'locale')
  return {
    provider,
    isRecipient: isNamed && (await findLine(deps, { ...recipient.filter, ids: [deviceId] }, [])) !== undefined,
    parts: [...renderNotifications(content, provider, line)].map(makePart),
    locale,
    translation: findTranslation(content, locale),
    timezone: readField(described, 'timezone'),
    time: await findTime(send, line, rate, deps.now()),
    rate,
  }
}

function makePart([provider, notification]: readonly [ProviderName, Notification]): PreviewPart {
  const { json, headers } = notification
  const sent = { json, headers: provider === 'webpush' ? readWebPushHeaders(headers) : headers }
  const problem = findNotificationProblem(provider, sent, { targetKind: 'token' })
  return {
    provider,
    ...notification,
    bytes: measureNotification(provider, notification),
    maxBytes: findMaxBytes(provider, notification, 'token'),
    problem: problem && describeProblem(provider, problem),
  }
}

/** Reads the target line of the device; undefined if the filter does not match the device. */
async function findLine({ devices }: PreviewDeps, filter: DeviceFilter, used: readonly OptionalField[]) {
  const { groups } = await devices.pageTargets(filter, { after: undefined, limit: 1, used })
  return groups[0]?.lines.toString()
}

/**
 * When the push would be sent: at the latest of `send_at`, the end of the rate limit's delay, and the next opening of
 * the time window.
 */
async function findTime(
  { uid, sendAtMs, expireAtMs, content: { timeLimit } }: Send,
  line: string,
  rate: PreviewRate | undefined,
  nowMs: number,
): Promise<PreviewTime> {
  const fromMs = Math.max(nowMs + (rate?.kind === 'delayed' ? rate.waitMs : 0), sendAtMs ?? nowMs)
  const { delayed, dropped } = await admitTargets({ now: () => fromMs }, { uid }, { timeLimit }, [{ line, place: 0 }])
  if (dropped.size > 0) return { kind: 'no_timezone' }
  const atMs = fromMs + (delayed[0]?.delayMs ?? 0)
  return { kind: expireAtMs !== undefined && expireAtMs <= atMs ? 'expired' : 'at', atMs }
}

async function findRate(deps: PreviewDeps, { uid, content }: Send, line: string): Promise<PreviewRate | undefined> {
  const { rateLimit } = content
  if (!rateLimit) return undefined
  let waitMs = 0
  const rateLimiter: Pick<RateLimiter, 'take'> = {
    // A preview takes no grant: it reads how long each key has to wait.
    take: async (asks, policies) => {
      const nowMs = deps.now()
      return await Promise.all(
        asks.map(async ({ key }) => {
          waitMs = await deps.rateLimiter.readWait(key, policies)
          return waitMs === 0
            ? { kind: 'granted' as const, grantedAtMs: nowMs, decidedAtMs: nowMs }
            : { kind: 'limited' as const, waitMs, decidedAtMs: nowMs }
        }),
      )
    },
  }
  const { admitted } = await admitTargets({ rateLimiter, now: deps.now }, { uid }, { rateLimit }, [{ line, place: 0 }])
  if (admitted.length > 0) return { kind: 'free' }
  return { kind: rateLimit.isDropped ? 'dropped' : 'delayed', waitMs }
}
