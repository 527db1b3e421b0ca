// The answers of push methods. The recorded node has no push and answers that the methods are unknown.
import type { Vector } from './vectors.ts'

const BAD_REQUEST = '"error":{"code":107,"message":"bad request"}'

/** The answer to the request `{}`. All methods except lists require a field. */
const ANSWERS: Record<string, 'badRequest' | 'emptyList'> = {
  device_register: 'badRequest',
  device_update: 'badRequest',
  device_remove: 'badRequest',
  device_list: 'emptyList',
  device_topic_list: 'emptyList',
  device_topic_update: 'badRequest',
  user_topic_list: 'emptyList',
  user_topic_update: 'badRequest',
  send_push_notification: 'badRequest',
  update_push_status: 'badRequest',
  cancel_push: 'badRequest',
}
/** Number of the first push method in the legacy API. The others follow in this order. */
const FIRST_NUMBER = 22

/** The body of centripush's answer to a vector of the push scenario. The status is 200. */
export function expectedPushAnswer({ request }: Vector): string {
  const body = request.body.toString('utf8')
  if (request.path === '/api') {
    const method = readLegacyMethod(body)
    return `{"id":1,${ANSWERS[method] === 'emptyList' ? '"result":{"items":[]}' : BAD_REQUEST}}`
  }
  if (request.path === '/api/batch') {
    const method = /"commands":\[\{"(\w+)"/.exec(body)?.[1] ?? ''
    return `{"replies":[{${ANSWERS[method] === 'emptyList' ? `"${method}":{"items":[]}` : BAD_REQUEST}}]}`
  }
  const method = request.path.replace('/api/', '')
  return `{${ANSWERS[method] === 'emptyList' ? '"result":{"items":[]}' : BAD_REQUEST}}`
}

function readLegacyMethod(body: string): string {
  const written = /"method":"?(\w+)/.exec(body)?.[1] ?? ''
  return Object.keys(ANSWERS)[Number(written) - FIRST_NUMBER] ?? written
}
