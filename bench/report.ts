// The table that a benchmark prints, in Markdown, so that it can go into the documentation as it is.

/** One line: what was measured, and what it has to be. */
export interface Check {
  name: string
  value: string
  target: string
  /** Undefined where there is nothing to reach. */
  isMet: boolean | undefined
  p50Ms?: number
  p99Ms?: number
  stealPercent?: number
  loadAverage?: number
  /** EXPLAIN's, where a query was measured. */
  plans?: string[]
}

export function printReport(checks: readonly Check[]): void {
  const lines = checks.map((check) => [
    check.name,
    check.value,
    check.target,
    check.isMet === undefined ? '' : check.isMet ? 'yes' : '**no**',
    formatMs(check.p50Ms),
    formatMs(check.p99Ms),
    check.stealPercent === undefined ? '' : `${check.stealPercent.toFixed(1)} %`,
    check.loadAverage === undefined ? '' : check.loadAverage.toFixed(1),
  ])
  const rows = checks.length === 1 ? lines : [HEADER, HEADER.map(() => '---'), ...lines]
  for (const cells of rows) console.log(`| ${cells.join(' | ')} |`)
}

const HEADER = ['what', 'measured', 'target', 'met', 'p50 ms', 'p99 ms', 'steal', 'load']

function formatMs(ms: number | undefined): string {
  return ms === undefined ? '' : ms.toFixed(ms < 10 ? 2 : 1)
}
