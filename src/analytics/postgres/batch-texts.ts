import * as v from 'valibot'
import type { SpoolRecord } from '../spool/records.ts'
import { DamagedBatchError } from '../spool/spool.ts'
import { MinuteCounts } from './minute-counts.ts'

const Texts = v.array(v.string())
const BatchTexts = v.object({ events: Texts, attempts: Texts, counts: Texts })

/** Rows and counts, each as one text for each of their columns. */
export type BatchTexts = v.InferOutput<typeof BatchTexts>

const Record = v.pipe(v.string(), v.parseJson(), v.array(BatchTexts))

/** Makes the record of parts of a batch. */
export function encodeParts(rows: number, parts: readonly BatchTexts[]): SpoolRecord {
  return { rows, bytes: Buffer.from(JSON.stringify(parts)) }
}

/** The texts of the records of a batch. @throws DamagedBatchError */
export function decodeBatch(records: readonly SpoolRecord[]): BatchTexts {
  const counts = new MinuteCounts()
  const parts = records.flatMap(({ bytes }) => {
    const record = v.safeParse(Record, Buffer.from(bytes).toString())
    if (!record.success) throw new DamagedBatchError('a record of the spool has another form')
    return record.output
  })
  for (const part of parts) counts.addJoined(part.counts)
  return { ...joinRows(parts), counts: counts.join() }
}

/** The rows of parts in their order. */
export function joinRows(parts: readonly BatchTexts[]): Pick<BatchTexts, 'events' | 'attempts'> {
  return {
    events: joinColumns(parts.map(({ events }) => events)),
    attempts: joinColumns(parts.map(({ attempts }) => attempts)),
  }
}

/** Joins the texts of each column. In parts without rows they are empty; in others the first column is not. */
function joinColumns(parts: readonly (readonly string[])[]): string[] {
  const filled = parts.filter(([first]) => first !== '')
  return (parts[0] ?? []).map((_, index) => filled.map((part) => part[index]).join('\n'))
}
