import type { ReportSubject } from '../../queue/report.ts'
import type { DeviceFilter } from '../../sends/recipient.ts'

/** The most characters of a text in a list. */
const MAX_TEXT = 80
const NOUNS: Readonly<Record<keyof DeviceFilter, string>> = {
  ids: 'device',
  users: 'user',
  topics: 'topic',
  providers: 'provider',
  platforms: 'platform',
}
const FIELDS = ['ids', 'users', 'topics', 'providers', 'platforms'] as const

/** The recipient of a send in one line. */
export function describeRecipient(subject: ReportSubject | undefined): string {
  if (!subject) return 'unknown'
  const { recipient } = subject
  if (recipient.kind === 'native') {
    const { provider, targetKind, value } = recipient
    return shorten(targetKind === 'token' ? `${provider} tokens` : `${provider} ${targetKind} ${value ?? '(long)'}`)
  }
  if (!recipient.filter) return 'a long filter'
  const { filter } = recipient
  const parts = FIELDS.filter((name) => filter[name].length > 0).map(
    (name) => `${NOUNS[name]}${filter[name].length === 1 ? '' : 's'} ${filter[name].join(', ')}`,
  )
  return shorten(parts.join('; '))
}

function shorten(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text
}
