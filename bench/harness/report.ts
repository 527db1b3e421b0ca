// The table that a benchmark prints, in Markdown, so that it can go into the documentation as it is.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What was measured beside something else in the same run, so that it says little of the machine. */
export interface Ratio {
  /** Names it in the history. */
  key: string
  value: number
  better: 'higher' | 'lower'
}

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
  /** Compared with those of earlier runs. */
  ratio?: Ratio
  /** EXPLAIN's, where a query was measured. */
  plans?: string[]
}

/** What `npm run bench` reads of a benchmark. */
export async function writeReport(file: string, checks: readonly Check[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify({ date: new Date().toISOString(), checks }, undefined, 2)}\n`)
}

/** Prints the header and then each line as soon as it is known. */
export class Report {
  readonly checks: Check[] = []

  add(check: Check): void {
    if (this.checks.length === 0) printRows([HEADER, HEADER.map(() => '---')])
    this.checks.push(check)
    printRows([cellsOf(check)])
  }
}

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
