import type { Mistake } from './mistakes.ts'
import type { Verdict } from './verdict.ts'

const ROW = [10, 11, 10, 10, 11, 10, 10, 8, 9, 8] as const

/** The first line of the table. */
export const HEADER = formatRow([
  'provider',
  'back-end',
  'requests',
  'accepted',
  'duplicates',
  'withheld',
  'sent',
  'failed',
  'given up',
  'seconds',
  'verdict',
])

/** One run of the table. */
export interface Run {
  provider: string
  backend: string
  verdict: Verdict
  seconds: number
  /** The mistake that was planted in the server. */
  mistake: Mistake | undefined
}

/** Whether a run passed: all promises held or, with a mistake planted, the verdict names the mistake. */
export function hasPassed({ verdict, mistake }: Run): boolean {
  return mistake ? isNoticed(verdict, mistake) : verdict.broken.length === 0
}

/** The row of a run; below are the first of its broken promises and the number of each fault. */
export function describeRun({ provider, backend, verdict, seconds, mistake }: Run): string {
  const { faults, requests, accepted, duplicates, withheld, sent, failed, givenUp, broken } = verdict
  const outcome = broken.length === 0 ? 'holds' : 'BROKEN'
  const figures = [requests, accepted, duplicates, withheld, sent, failed, givenUp, seconds.toFixed(0)]
  const notice = mistake ? ` with ${mistake.name}: ${isNoticed(verdict, mistake) ? 'noticed' : 'NOT NOTICED'}` : ''
  const counts = [...faults].map(([word, times]) => `${word} ${times}`).join(', ')
  const details = [...broken.slice(0, 8), `faults: ${counts}`].map((line) => `    ${line}\n`)
  return `${formatRow([provider, backend, ...figures, outcome])}${notice}\n${details.join('')}`
}

function isNoticed({ broken }: Verdict, { shows }: Mistake): boolean {
  return broken.some((sentence) => sentence.includes(shows))
}

function formatRow(cells: readonly (string | number)[]): string {
  return cells.map((cell, index) => String(cell).padEnd(ROW[index] ?? 0)).join(' ')
}
