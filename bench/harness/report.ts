// The table of a benchmark, in the Markdown of the documentation.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Two figures of one run as a ratio, which depends little on the machine. */
export interface Ratio {
  /** Its name in the history. */
  key: string
  value: number
  better: 'higher' | 'lower'
}

/** One row: a measured value and its target. */
export interface Check {
  name: string
  value: string
  target: string
  /** Undefined without a target. */
  isMet: boolean | undefined
  p50Ms?: number
  p99Ms?: number
  stealPercent?: number
  loadAverage?: number
  /** The ratio that is compared with earlier runs. */
  ratio?: Ratio
  /** The output of EXPLAIN for the measured queries. */
  plans?: string[]
}

/** Writes the checks as JSON, for `npm run bench` and for the repository. */
export async function writeReport(file: string, checks: readonly Check[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify({ date: new Date().toISOString(), checks }, undefined, 2)}\n`)
}

/** Prints the header, and then each row as soon as it is added. */
export class Report {
  readonly checks: Check[] = []

  add(check: Check): void {
    if (this.checks.length === 0) printRows([HEADER, HEADER.map(() => '---')])
    this.checks.push(check)
    printRows([cellsOf(check)])
  }
}

/** Prints a whole table, or the row of a single check. */
export function printReport(checks: readonly Check[]): void {
  const lines = checks.map(cellsOf)
  printRows(checks.length === 1 ? lines : [HEADER, HEADER.map(() => '---'), ...lines])
}

function printRows(rows: readonly (readonly string[])[]): void {
  for (const cells of rows) console.log(`| ${cells.join(' | ')} |`)
}

function cellsOf(check: Check): string[] {
  return [
    check.name,
    check.value,
    check.target,
    check.isMet === undefined ? '' : check.isMet ? 'yes' : '**no**',
    formatMs(check.p50Ms),
    formatMs(check.p99Ms),
    check.stealPercent === undefined ? '' : `${check.stealPercent.toFixed(1)} %`,
    check.loadAverage === undefined ? '' : check.loadAverage.toFixed(1),
  ]
}

const HEADER = ['what', 'measured', 'target', 'met', 'p50 ms', 'p99 ms', 'steal', 'load']

function formatMs(ms: number | undefined): string {
  return ms === undefined ? '' : ms.toFixed(ms < 10 ? 2 : 1)
}
