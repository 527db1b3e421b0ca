import { readLimit } from '../devices/list-page.ts'
import { ApiError } from '../protocol/errors.ts'
import type { PushListRequest } from '../protocol/requests/push.ts'
import { withoutZeroValues } from '../protocol/result.ts'
import { readTime } from '../push/read-time.ts'
import type { Queue } from '../queue/queue.ts'
import { REPORT_STATES, ReportCursorError, type ReportFilter, type ReportPage } from '../queue/report.ts'
import { encodeReport } from './report-results.ts'

/** The most bytes of a uid. */
const MAX_UID_BYTES = 256

/** The method `push_list`: the reports of sends, the latest accepted first. */
export function makePushList(queue: Pick<Queue, 'listReports'>) {
  return async (request: PushListRequest): Promise<object> => encodeReportPage(await listPushReports(queue, request))
}

/** Lists the reports that a request selects. @throws ApiError badRequest, or errors of the store */
export async function listPushReports(
  queue: Pick<Queue, 'listReports'>,
  request: PushListRequest,
): Promise<ReportPage> {
  const cursor = request.cursor === '' ? undefined : Buffer.from(request.cursor, 'base64url').toString()
  try {
    const page = await queue.listReports(readFilter(request), readLimit(request.limit), cursor)
    return { ...page, nextCursor: page.nextCursor && Buffer.from(page.nextCursor).toString('base64url') }
  } catch (error) {
    throw error instanceof ReportCursorError ? new ApiError('badRequest', `cursor: ${error.message}`) : error
  }
}

/** Encodes a page of reports as the result of push_list. */
export function encodeReportPage({ reports, nextCursor }: ReportPage): object {
  return withoutZeroValues({ items: reports.map(encodeReport), next_cursor: nextCursor })
}

function readFilter({ states, uid_prefix: uidPrefix, accepted_from, accepted_to }: PushListRequest): ReportFilter {
  const known = REPORT_STATES.filter((state) => states.includes(state))
  if (known.length < new Set(states).size) {
    throw new ApiError('badRequest', `states: expected ${REPORT_STATES.join(', ')}`)
  }
  if (Buffer.byteLength(uidPrefix) > MAX_UID_BYTES || /\p{Cc}/u.test(uidPrefix)) {
    throw new ApiError('badRequest', `uid_prefix: must be at most ${MAX_UID_BYTES} bytes without control characters`)
  }
  const acceptedFromMs = readTime('accepted_from', accepted_from)
  const acceptedToMs = readTime('accepted_to', accepted_to)
  return {
    ...(known.length > 0 && { states: known }),
    ...(uidPrefix !== '' && { uidPrefix }),
    ...(acceptedFromMs !== undefined && { acceptedFromMs }),
    ...(acceptedToMs !== undefined && { acceptedToMs }),
  }
}
