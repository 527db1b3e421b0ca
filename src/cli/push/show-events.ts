import type { EventReader, RecordedEvent } from '../../analytics/analytics.ts'
import { encodeEventPage, listPushEvents } from '../../methods/push-events.ts'
import type { PushEventsRequest } from '../../protocol/requests/push.ts'

/** Lists recorded events as lines of text, or as the JSON of the API. @throws ApiError */
export async function showEvents(reader: EventReader, request: PushEventsRequest, json: boolean): Promise<string[]> {
  const page = await listPushEvents(reader, request)
  if (json) return [JSON.stringify(encodeEventPage(page))]
  if (page.events.length === 0) return ['no events']
  const next = page.nextCursor === undefined ? [] : [`more: --cursor ${page.nextCursor}`]
  return [...page.events.map(describeEvent), ...next]
}

function describeEvent(event: RecordedEvent): string {
  const { timeMs, status, provider, recipient, deviceId, user, uid, errorCode, errorMessage, attempt, latencyMs } =
    event
  return [
    new Date(timeMs).toISOString(),
    attempt > 0 ? `${status} (attempt ${attempt}, ${latencyMs} ms)` : status,
    provider,
    recipient,
    deviceId,
    user === '' ? '' : `user ${user}`,
    errorCode,
    errorMessage,
    `uid ${uid}`,
  ]
    .filter((part) => part !== '')
    .join('  ')
}
