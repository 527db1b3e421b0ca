import type { Mistake } from './mistakes.ts'
import type { CaseResult } from './run-case.ts'

const ROW = [26, 11, 7, 7, 11, 11, 8] as const

/** The first line of the table. */
export const HEADER = formatRow([
  'case',
  'back-end',
  'rounds',
  'lost',
  'duplicates',
  'longest ms',
  'seconds',
  'verdict',
])

/** Whether a case passed: its promise held or, with a mistake planted, the case noticed the mistake. */
export function hasPassed(result: CaseResult, mistake: Mistake | undefined): boolean {
  return mistake ? isNoticed(result, mistake) : result.findings.broken.length === 0
}

/** The row of a case, with the first of its broken promises below. */
export function describeResult(result: CaseResult, mistake: Mistake | undefined): string {
  const { name, backend, findings, seconds } = result
  const { rounds, lost, duplicates, longestMs, broken } = findings
  const verdict = broken.length === 0 ? 'holds' : 'BROKEN'
  const cells = [name, backend, rounds, lost, duplicates, longestMs ?? '', seconds.toFixed(1), verdict]
  const notice = mistake ? ` with ${mistake.alteration}: ${isNoticed(result, mistake) ? 'noticed' : 'NOT NOTICED'}` : ''
  const details = [...new Set(broken)].slice(0, 5).map((sentence) => `    ${sentence}\n`)
  return `${formatRow(cells)}${notice}\n${details.join('')}`
}

function isNoticed({ findings }: CaseResult, { shows }: Mistake): boolean {
  return findings.broken.some((sentence) => sentence.includes(shows))
}

function formatRow(cells: readonly (string | number)[]): string {
  return cells.map((cell, index) => String(cell).padEnd(ROW[index] ?? 0)).join(' ')
}
