import { encodeReportPage, listPushReports } from '../../methods/push-list.ts'
import { addUp } from '../../methods/report-results.ts'
import type { PushListRequest } from '../../protocol/requests/push.ts'
import type { Queue } from '../../queue/queue.ts'
import type { SendReport } from '../../queue/report.ts'

/** Lists the reports of sends as lines of text, or as the JSON of the API. @throws ApiError */
export async function showReports(
  queue: Pick<Queue, 'listReports'>,
  request: PushListRequest,
  json: boolean,
): Promise<string[]> {
  const page = await listPushReports(queue, request)
  if (json) return [JSON.stringify(encodeReportPage(page))]
  const next = page.nextCursor === undefined ? [] : [`more: --cursor ${page.nextCursor}`]
  const lines = page.reports.map(describeReport)
  return [...(lines.length === 0 && next.length === 0 ? ['no sends'] : lines), ...next]
}

function describeReport(report: SendReport): string {
  const { target, sent, failed, dropped, expired, cancelled } = addUp(report)
  const counts = { failed, 'left out': dropped, expired, cancelled }
  return [
    new Date(report.acceptedAtMs).toISOString(),
    report.state,
    `${sent} of ${target} sent`,
    ...Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name}`])),
    `uid ${report.uid}`,
  ].join('  ')
}
