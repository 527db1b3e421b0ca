import type { ReportPage } from '../report.ts'

/** A position in the list of reports, which goes from the latest to the first. */
interface Position {
  acceptedAtMs: number
  uid: string
}

/**
 * Merges pages of reports that begin at the same cursor, one of each partition. Cursors are positions in the common
 * order (report-scripts.ts), so one is valid in each partition.
 */
export function mergeReportPages(pages: readonly ReportPage[], limit: number): ReportPage {
  // Behind the end of an unfinished page, its partition may have reports that come before those of the others.
  const ends = pages.flatMap(({ nextCursor }) => (nextCursor === undefined ? [] : [readPosition(nextCursor)]))
  const end = ends.toSorted(compare)[0]
  const known = pages
    .flatMap(({ reports }) => reports)
    .toSorted(compare)
    .filter((report) => end === undefined || compare(report, end) <= 0)
  const reports = known.slice(0, limit)
  const next = reports.length < known.length ? reports.at(-1) : end
  return { reports, nextCursor: next && `${next.acceptedAtMs} ${next.uid}` }
}

function readPosition(cursor: string): Position {
  const space = cursor.indexOf(' ')
  return { acceptedAtMs: Number(cursor.slice(0, space)), uid: cursor.slice(space + 1) }
}

/** The order of the list: the latest accepted first, and of the same time the last uid by its bytes. */
function compare(a: Position, b: Position): number {
  return b.acceptedAtMs - a.acceptedAtMs || Buffer.compare(Buffer.from(b.uid), Buffer.from(a.uid))
}
