// The files that benchmarks write. The repository tracks one file for each benchmark; only `--keep` changes it, so a
// measurement leaves no changes in the working tree.
import { join } from 'node:path'

const TRACKED_DIRECTORY = join(import.meta.dirname, '../results')
const IGNORED_DIRECTORY = join(import.meta.dirname, '../../.cache/bench')

/** The options of every benchmark, for parseArgs(). */
export const RESULT_OPTIONS = {
  keep: { type: 'boolean', default: false },
  json: { type: 'string' },
} as const

/** The file for the figures of a benchmark: `--json FILE`, with `--keep` the tracked file, else an ignored one. */
export function findResultFile(name: string, { keep, json }: { keep: boolean; json?: string | undefined }): string {
  return json ?? join(keep ? TRACKED_DIRECTORY : IGNORED_DIRECTORY, `${name}.json`)
}
