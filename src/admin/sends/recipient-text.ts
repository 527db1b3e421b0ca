import type { ReportSubject } from '../../queue/report.ts'

/** The most characters of a text in a list. */
const MAX_TEXT = 80

/** The recipient of a send in one line. */
export function describeRecipient(subject: ReportSubject | undefined): string {
  if (!subject) return 'unknown'
  const { recipient } = subject
  if (recipient.kind === 'native') {
    const { provider, targetKind, value } = recipient
    return shorten(targetKind === 'token' ? `${provider} tokens` : `${provider} ${targetKind} ${value ?? '(long)'}`)
  }
  if (!recipient.filter) return 'a long filter'
  const parts = Object.entries(recipient.filter)
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => `${name} ${values.join(', ')}`)
  return shorten(parts.join('; '))
}

function shorten(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text
}
