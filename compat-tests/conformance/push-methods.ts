// What the push methods answer where a node without push, which was recorded, says that it does not know them.
import type { Vector } from './vectors.ts'

const BAD_REQUEST = '"error":{"code":107,"message":"bad request"}'

/** A request of `{}` decodes, and lacks what every method but the lists needs. */
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
/** The number of the first of them in the legacy API; the others follow in this order. */
const FIRST_NUMBER = 22

/** The body of the answer to a vector of the push scenario, by a server with push; its status is 200. */
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
