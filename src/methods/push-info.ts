import { ApiError } from '../protocol/errors.ts'
import type { PushInfoRequest } from '../protocol/requests/push.ts'
import { checkUid } from '../push/uid.ts'
import type { Queue } from '../queue/queue.ts'
import type { SendReport } from '../queue/report.ts'
import { encodeReport } from './report-results.ts'

/** The method `push_info`: the report of a send. */
export function makePushInfo(queue: Pick<Queue, 'loadReport'>) {
  return async (request: PushInfoRequest): Promise<object> => encodeReport(await loadPushReport(queue, request))
}

/** Loads the report of a send. @throws ApiError badRequest, or notFound if there is none */
export async function loadPushReport(queue: Pick<Queue, 'loadReport'>, { uid }: PushInfoRequest): Promise<SendReport> {
  checkUid(uid)
  const report = await queue.loadReport(uid)
  if (!report) throw new ApiError('notFound', 'uid: no report of such a send')
  return report
}
