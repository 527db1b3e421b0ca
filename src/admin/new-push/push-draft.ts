// A push that is being written: the fields of the form, and the request that they make.
import { randomUUID } from 'node:crypto'
import { PROVIDER_NAMES, type ProviderName } from '../../config/provider-names.ts'
import type { DeviceFilter } from '../../sends/recipient.ts'
import { type DeviceFields, readDeviceFields, toDeviceFilter } from '../devices/device-filter.ts'
import { makeMessages } from './simple-messages.ts'

/** The names of the fields besides those of the recipient. */
const TEXT_FIELDS = [
  'title',
  'body',
  'image',
  'link',
  'fcm',
  'hms',
  'apns',
  'webpush',
  'translations',
  'sendAt',
  'expireAt',
  'afterTime',
  'beforeTime',
  'rate',
  'rateSeconds',
  'device',
] as const

/** The fields of the form as text. */
export type PushDraft = { recipient: DeviceFields; isForEveryone: boolean } & Record<
  (typeof TEXT_FIELDS)[number],
  string
>

/** Reads the fields of the form. @param read returns the text of a field */
export function readDraft(read: (name: string) => string | undefined): PushDraft {
  const texts = Object.fromEntries(TEXT_FIELDS.map((name) => [name, read(name)?.trim() ?? '']))
  return {
    title: '',
    body: '',
    image: '',
    link: '',
    fcm: '',
    hms: '',
    apns: '',
    webpush: '',
    translations: '',
    sendAt: '',
    expireAt: '',
    afterTime: '',
    beforeTime: '',
    rate: '',
    rateSeconds: '',
    device: '',
    ...texts,
    recipient: readDeviceFields(read),
    isForEveryone: read('everyone') === '1',
  }
}

/** The recipient of a draft; undefined if none was chosen. @throws ApiError badRequest that names the field */
export function readFilter({ isForEveryone, recipient }: PushDraft): DeviceFilter | undefined {
  const filter = isForEveryone
    ? toDeviceFilter({ id: '', user: '', topic: '', provider: PROVIDER_NAMES.join(','), platform: '' })
    : toDeviceFilter(recipient)
  return Object.values(filter).every((values) => values.length === 0) ? undefined : filter
}

/** The request of a draft, or the problems of its fields. */
export type DraftResult = { request: object; filter: DeviceFilter } | { problems: string[] }

/**
 * Makes the request of a draft. Its uid is new, so a form that is submitted twice is sent once.
 * @param enabled the providers that get the simple message
 */
export function makeRequest(draft: PushDraft, enabled: readonly ProviderName[]): DraftResult {
  const problems: string[] = []
  const readJson = (name: ProviderName | 'translations'): unknown => {
    if (draft[name] === '') return undefined
    try {
      return JSON.parse(draft[name])
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : 'is not JSON'}`)
      return undefined
    }
  }
  const readTime = (name: 'sendAt' | 'expireAt'): number | undefined => {
    if (draft[name] === '') return undefined
    const ms = Date.parse(`${draft[name]}Z`)
    if (Number.isNaN(ms)) problems.push(`${name}: is not a time`)
    return Math.floor(ms / 1000)
  }
  const filter = readFilter(draft)
  if (!filter) problems.push('Choose a recipient, or tick “All devices”.')
  const raw = Object.fromEntries(PROVIDER_NAMES.map((name) => [name, readJson(name)]).filter(([, json]) => json))
  const hasSimple = draft.title !== '' || draft.body !== ''
  if (!hasSimple && Object.keys(raw).length === 0) problems.push('Write a title or a text, or the JSON of a provider.')
  const localizations = readJson('translations')
  const request = {
    uid: randomUUID(),
    recipient: { filter: Object.fromEntries(Object.entries(filter ?? {}).filter(([, values]) => values.length > 0)) },
    notification: { ...(hasSimple && makeMessages(draft, enabled)), ...raw, expire_at: readTime('expireAt') },
    send_at: readTime('sendAt'),
    ...(localizations !== undefined && { localizations: wrapTranslations(localizations) }),
    ...makeLimits(draft),
  }
  return filter && problems.length === 0 ? { request, filter } : { problems }
}

/** `{"de": {"title": "…"}}` as the API takes it. */
function wrapTranslations(translations: unknown): unknown {
  if (typeof translations !== 'object' || translations === null) return translations
  return Object.fromEntries(Object.entries(translations).map(([locale, texts]) => [locale, { translations: texts }]))
}

function makeLimits({ afterTime, beforeTime, rate, rateSeconds }: PushDraft): object {
  const hasHours = afterTime !== '' || beforeTime !== ''
  // Browsers leave out the seconds, which the API needs.
  const [after, before] = [afterTime, beforeTime].map((time) => (/^\d\d:\d\d$/.test(time) ? `${time}:00` : time))
  const time_limit = hasHours ? { send_after_time: after, send_before_time: before } : undefined
  const policies = [{ rate: Number(rate), interval_ms: Number(rateSeconds) * 1000 }]
  const rate_limit = rate === '' ? undefined : { policies, drop_if_rate_limited: true }
  return hasHours || rate_limit ? { limit_strategy: { time_limit, rate_limit } } : {}
}
