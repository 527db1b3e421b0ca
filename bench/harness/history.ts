// The ratios of earlier runs, which the repository keeps. Absolute figures depend on the machine; ratios of two figures
// of the same run can be compared.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { median } from './measure.ts'
import type { Check, Ratio } from './report.ts'

const FILE = join(import.meta.dirname, '../history.json')
/** A ratio may be worse by this much than the median of its history. */
const MAX_LOSS = 1 / 3
/** The number of recent runs whose median is the usual ratio. */
const COMPARED_RUNS = 5

const Entry = v.object({
  date: v.string(),
  node: v.string(),
  cores: v.number(),
  isQuick: v.boolean(),
  ratios: v.record(v.string(), v.number()),
})
/** One run of `npm run bench`. */
export type HistoryEntry = v.InferOutput<typeof Entry>
const History = v.array(Entry)

/** All kept runs, the oldest first. */
export async function readHistory(): Promise<HistoryEntry[]> {
  return v.parse(History, JSON.parse(await readFile(FILE, 'utf8')))
}

/** Adds a run to the kept ones. */
export async function appendHistory(entry: HistoryEntry): Promise<void> {
  const history = [...(await readHistory()), entry]
  await writeFile(FILE, `${JSON.stringify(history, undefined, 2)}\n`)
}

/** Compares the ratios of `checks` with those of the kept runs of the same kind. */
export function compareRatios(checks: readonly Check[], history: readonly HistoryEntry[], isQuick: boolean): Check[] {
  const runs = history.filter((entry) => entry.isQuick === isQuick).slice(-COMPARED_RUNS)
  return checks.flatMap(({ ratio }) => {
    const kept = ratio ? runs.flatMap((entry) => entry.ratios[ratio.key] ?? []) : []
    return ratio && kept.length > 0 ? [compareRatio(ratio, median(kept), kept.length)] : []
  })
}

function compareRatio(ratio: Ratio, usual: number, runs: number): Check {
  const isHigherBetter = ratio.better === 'higher'
  const limit = isHigherBetter ? usual * (1 - MAX_LOSS) : usual / (1 - MAX_LOSS)
  return {
    name: ratio.key,
    value: `${ratio.value.toFixed(3)}, and ${usual.toFixed(3)} in ${runs} kept ${runs === 1 ? 'run' : 'runs'}`,
    target: `${isHigherBetter ? '≥' : '≤'} ${limit.toFixed(3)}`,
    isMet: isHigherBetter ? ratio.value >= limit : ratio.value <= limit,
  }
}
