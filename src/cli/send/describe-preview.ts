import { isTimeZone } from '../../personalise/zone-clock.ts'
import type { Preview, PreviewPart, PreviewRate, PreviewTime } from '../../preview/preview-send.ts'

/** A preview as lines of text: recipient and time first, then for each provider the bytes of its request. */
export function describePreview(preview: Preview): string[] {
  const { provider, isRecipient, parts, timezone, time, rate } = preview
  const hasPart = parts.some((part) => part.provider === provider)
  return [
    `recipient: ${isRecipient ? 'yes' : 'no, the filter excludes this device'}`,
    `provider: ${provider}${hasPart ? '' : '; the notification has no part for it, so nothing is sent'}`,
    `translation: ${describeTranslation(preview)}`,
    `time: ${describeTime(time, timezone)}`,
    `rate limit: ${describeRate(rate)}`,
    ...parts.flatMap(describePart),
  ]
}

function describeTranslation({ locale, translation }: Preview): string {
  const device = locale === '' ? 'the device has no locale' : `the device is in ${locale}`
  return translation === undefined ? `none, ${device}` : `${translation}, ${device}`
}

function describeTime(time: PreviewTime, timezone: string): string {
  if (time.kind === 'no_timezone') return 'never: the device has no time zone, and no_tz_send_now is not set'
  const local = isTimeZone(timezone) ? `, ${formatTime(time.atMs, timezone)} ${timezone}` : ''
  const at = `${formatTime(time.atMs, 'UTC')} UTC${local}`
  return time.kind === 'expired' ? `never: it expires before ${at}` : at
}

/** Formats a time in a time zone. Sweden's locale writes dates as ISO 8601 does. */
function formatTime(atMs: number, timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(atMs)
}

function describeRate(rate: PreviewRate | undefined): string {
  if (!rate) return 'none'
  if (rate.kind === 'free') return 'allows it'
  const seconds = Math.ceil(rate.waitMs / 1000)
  return rate.kind === 'dropped'
    ? `dropped; the next push is allowed in ${seconds} s`
    : `delayed by ${seconds} s or more`
}

function describePart({ provider, headers, json, bytes, maxBytes, problem }: PreviewPart): string[] {
  return [
    '',
    `${provider}: ${bytes} of ${maxBytes} bytes`,
    ...(problem === undefined ? [] : [`refused by ${provider}: ${problem}`]),
    ...[...headers].map(([name, value]) => `${name}: ${value}`),
    json.toString(),
  ]
}
