// What a request would come to for one device. Nothing is sent, stored or counted.
import type { ProviderName } from '../config/provider-names.ts'
import { formatDeviceId } from '../devices/device-id.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import { parseId } from '../devices/field-checks.ts'
import type { TargetGroup } from '../devices/target-page.ts'
import { renderKey } from '../limits/key-template.ts'
import type { RateLimiter } from '../limits/rate-limiter.ts'
import { NO_TEXTS, parseTexts, type Scope } from '../personalise/scope.ts'
import { compileHeader, compileJson } from '../personalise/template.ts'
import { waitForWindow } from '../personalise/time-limit.ts'
import { makeTranslations } from '../personalise/translations.ts'
import { ApiError } from '../protocol/errors.ts'
import type { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import type { Send } from '../queue/send.ts'
import type { Notification } from '../sends/notification.ts'
import type { RecipientFilter } from '../sends/recipient.ts'
import type { SendContent } from '../sends/send-content.ts'
import { decodeTarget, type OptionalField, type Target } from '../sends/target-line.ts'
import { readSend, type SendChecks } from './read-send.ts'

export interface PreviewDeps extends SendChecks {
  devices: Pick<DeviceStore, 'pageTargets'>
  rateLimiter: Pick<RateLimiter, 'readWait'>
  /** How many bytes of its part of a notification a provider takes. */
  findMaxBytes(provider: ProviderName, headers: ReadonlyMap<string, string>): number
  /** Unix time in ms. */
  now(): number
}

/** One provider's part of the notification with the device's own values. */
export interface PreviewPart {
  provider: ProviderName
  headers: ReadonlyMap<string, string>
  /** The bytes of `message` or `payload`. */
  json: Buffer
  /** The most that the provider takes. */
  maxBytes: number
}

/** When it would be sent, if nothing else keeps it; a delay of its rate limit is in it. */
export type PreviewTime = { kind: 'at'; atMs: number } | { kind: 'expired'; atMs: number } | { kind: 'no_timezone' }

/** What the rate limit says now; a push for later asks then. */
export type PreviewRate = { kind: 'free' } | { kind: 'delayed' | 'dropped'; waitMs: number }

export interface Preview {
  /** The device's. A notification without a part for it is not sent to this device. */
  provider: ProviderName
  /** Whether the request's filter means this device. */
  isRecipient: boolean
  /** All of the notification, each as this device's values make it. */
  parts: PreviewPart[]
  timezone: string
  time: PreviewTime
  /** Undefined: the request has no rate limit. */
  rate: PreviewRate | undefined
}

const FIELDS: readonly OptionalField[] = ['locale', 'timezone', 'meta']
const NOTHING: RecipientFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }

/** @throws ApiError as accepting the request would, and notFound for a device that is not stored */
export async function previewSend(
  deps: PreviewDeps,
  request: SendPushNotificationRequest,
  deviceId: string,
): Promise<Preview> {
  const { provider } = parseId('device', deviceId)
  const send = readSend(request, deps)
  const { recipient, content } = send
  if (recipient.kind !== 'filter') throw new ApiError('badRequest', 'recipient: a preview needs a filter')
  const device = await findTarget(deps, { ...NOTHING, ids: [deviceId] })
  if (!device) throw new ApiError('notFound', 'device: is not stored')
  const { ids } = recipient.filter
  const isNamed = ids.length === 0 || ids.includes(deviceId)
  const rate = content.rateLimit && (await readRate(deps, content.rateLimit, device))
  return {
    provider,
    isRecipient: isNamed && (await findTarget(deps, { ...recipient.filter, ids: [deviceId] })) !== undefined,
    parts: renderParts(deps, content, device, provider),
    timezone: device.timezone,
    time: findTime(send, device, rate, deps.now()),
    rate,
  }
}

async function findTarget(deps: PreviewDeps, filter: RecipientFilter): Promise<Target | undefined> {
  const { groups } = await deps.devices.pageTargets(filter, { after: undefined, limit: 1, used: FIELDS })
  const [group]: (TargetGroup | undefined)[] = groups
  return group && decodeTarget(group.lines.toString())
}

function renderParts(
  { findMaxBytes }: PreviewDeps,
  content: SendContent,
  device: Target,
  provider: ProviderName,
): PreviewPart[] {
  const { templating, notifications } = content
  const scope: Scope = {
    id: formatDeviceId(device.deviceId, provider),
    user: device.user,
    meta: templating?.usesMeta ? parseTexts(device.meta) : NO_TEXTS,
    l10n: templating ? makeTranslations(templating.localizations)(device.locale) : NO_TEXTS,
  }
  return [...notifications].map(([name, notification]) => {
    const rendered = templating ? render(notification, scope) : notification
    return { provider: name, ...rendered, maxBytes: findMaxBytes(name, rendered.headers) }
  })
}

function render({ json, headers }: Notification, scope: Scope): Notification {
  const pieces: Uint8Array[] = []
  compileJson(json).write(scope, {
    bytes: (bytes) => pieces.push(bytes),
    text: (text) => pieces.push(Buffer.from(text)),
  })
  return {
    json: Buffer.concat(pieces),
    headers: new Map([...headers].map(([name, value]) => [name, compileHeader(value).render(scope)])),
  }
}

/** Not before its time, and not before its rate limit has room. */
function findTime(
  { sendAtMs, expireAtMs, content }: Send,
  device: Target,
  rate: PreviewRate | undefined,
  nowMs: number,
): PreviewTime {
  const roomMs = nowMs + (rate?.kind === 'delayed' ? rate.waitMs : 0)
  const fromMs = Math.max(roomMs, sendAtMs ?? nowMs)
  const waitMs = content.timeLimit ? waitForWindow(content.timeLimit, device.timezone, fromMs) : 0
  if (waitMs === undefined) return { kind: 'no_timezone' }
  const atMs = fromMs + waitMs
  return { kind: expireAtMs !== undefined && expireAtMs <= atMs ? 'expired' : 'at', atMs }
}

async function readRate(
  { rateLimiter }: PreviewDeps,
  { key, policies, isDropped }: NonNullable<SendContent['rateLimit']>,
  { deviceId, user }: Target,
): Promise<PreviewRate> {
  const waitMs = await rateLimiter.readWait(renderKey(key, { id: deviceId, user }), policies)
  if (waitMs === 0) return { kind: 'free' }
  return { kind: isDropped ? 'dropped' : 'delayed', waitMs }
}
