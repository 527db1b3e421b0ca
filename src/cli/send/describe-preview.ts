import { isTimeZone } from '../../personalise/zone-clock.ts'
import type { Preview, PreviewPart, PreviewRate, PreviewTime } from '../../preview/preview-send.ts'

/** As people read it: who and when first, then each provider's part with the bytes as they would go out. */
export function describePreview({ provider, isRecipient, parts, timezone, time, rate }: Preview): string[] {
  const hasPart = parts.some((part) => part.provider === provider)
  return [
    `recipient: ${isRecipient ? 'yes' : 'no, the filter does not mean this device'}`,
    `provider: ${provider}${hasPart ? '' : ', for which the notification has no part: nothing is sent to this device'}`,
    `time: ${describeTime(time, timezone)}`,
    `rate limit: ${describeRate(rate)}`,
    ...parts.flatMap(describePart),
  ]
}

function describeTime(time: PreviewTime, timezone: string): string {
  if (time.kind === 'no_timezone') return 'never: the device has no time zone, and no_tz_send_now is not set'
  const at = `${formatTime(time.atMs, 'UTC')} UTC${!isTimeZone(timezone) ? '' : `, ${formatTime(time.atMs, timezone)} ${timezone}`}`
  return time.kind === 'expired' ? `never: it expires before ${at}` : at
}

/** Swedes write the date as ISO 8601 does. */
function formatTime(atMs: number, timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(atMs)
}

function describeRate(rate: PreviewRate | undefined): string {
  if (!rate) return 'none'
  if (rate.kind === 'free') return 'there is room'
  const seconds = Math.ceil(rate.waitMs / 1000)
  return rate.kind === 'dropped' ? `dropped, for there is no room for ${seconds} s` : `delayed by ${seconds} s or more`
}

function describePart({ provider, headers, json, maxBytes }: PreviewPart): string[] {
  const excess = json.length > maxBytes ? `: too large, ${provider} refuses it` : ''
  return [
    '',
    `${provider}: ${json.length} of ${maxBytes} bytes${excess}`,
    ...[...headers].map(([name, value]) => `${name}: ${value}`),
    json.toString(),
  ]
}
