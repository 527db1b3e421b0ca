// Large request bodies, by name: the ones that cost the most for their size.

/** Below the default of `http_api.max_request_body_size`. */
const BODY_BYTES = 60 * 1000 * 1000
/** The most raw tokens of a request, each as long as those of FCM. */
const TOKENS = 100_000
const TOKEN_LENGTH = 163

/** A request. */
export interface Input {
  name: string
  path: string
  body: Buffer
}

/** A send to as many raw tokens as are allowed: 16.7 MB. */
export function makeTokens(): Input {
  const tokens = Array.from({ length: TOKENS }, (_, index) => String(index).padStart(TOKEN_LENGTH, 'a'))
  const body = { recipient: { fcm_tokens: tokens }, notification: { fcm: { message: { data: {} } } } }
  return { name: '100,000 tokens', path: '/send_push_notification', body: Buffer.from(JSON.stringify(body)) }
}

/** Places for twelve million fields, and for arrays. `*` stands for the object or array. */
const FIELDS: Places = {
  'unknown fields': ['/device_register', '{"x":*}'],
  'fields of the request': ['/device_register', '*'],
  meta: ['/device_register', '{"meta":*}'],
  filter: ['/send_push_notification', '{"recipient":{"filter":*}}'],
  message: ['/send_push_notification', '{"recipient":{"fcm_topic":"t"},"notification":{"fcm":{"message":*}}}'],
  headers: ['/send_push_notification', '{"notification":{"apns":{"headers":*}}}'],
  localizations: ['/send_push_notification', '{"localizations":*}'],
  translations: ['/send_push_notification', '{"localizations":{"de":{"translations":*}}}'],
  batch: ['/batch', '*'],
  'command of a batch': ['/batch', '{"commands":[{"cancel_push":{"uid":"u"}},*]}'],
  'params in a batch': ['/batch', '{"commands":[{"cancel_push":*}]}'],
  'tags in a batch': ['/batch', '{"commands":[{"cancel_push":{"uid":"u"}},{"publish":{"channel":"c","tags":*}}]}'],
  'data in a batch': ['/batch', '{"commands":[{"cancel_push":{"uid":"u"}},{"publish":{"channel":"c","data":*}}]}'],
  'legacy command': ['', '{"method":"cancel_push","params":{"uid":"u"}}*'],
  'legacy params': ['', '{"method":"cancel_push","params":*}'],
}

const ARRAYS: Places = {
  'unknown array': ['/device_register', '{"x":*}'],
  topics: ['/device_register', '{"topics":*}'],
  users: ['/device_update', '{"users":*,"user_update":{"user":"u"}}'],
  'filter users': ['/send_push_notification', '{"recipient":{"filter":{"users":*}},"notification":{}}'],
  tokens: ['/send_push_notification', '{"recipient":{"fcm_tokens":*},"notification":{"fcm":{"message":{}}}}'],
  policies: ['/send_push_notification', '{"limit_strategy":{"rate_limit":{"policies":*}}}'],
  message: ['/send_push_notification', '{"recipient":{"fcm_topic":"t"},"notification":{"fcm":{"message":{"a":*}}}}'],
  commands: ['/batch', '{"commands":*}'],
  'channels in a batch': ['/batch', '{"commands":[{"cancel_push":{"uid":"u"}},{"broadcast":{"channels":*}}]}'],
  'filter nodes': ['/batch', '{"commands":[{"cancel_push":{"uid":"u"}},{"subscribe":{"label_filter":{"nodes":*}}}]}'],
  'legacy params': ['', '{"method":"cancel_push","params":{"x":*}}'],
}

type Places = Record<string, [path: string, template: string]>

/** A body with twelve million fields in each place where an object can stand. */
export function listFields(): (() => Input)[] {
  return listAll('12 million fields', FIELDS, '{', '"":1,', '"":1}')
}

/** Bodies with arrays of 60 MB in each place where an array can stand: flat, nested, and commands in a row. */
export function listArrays(): (() => Input)[] {
  return [
    ...listAll('empty strings', ARRAYS, '[', '"",', '""]'),
    ...listAll('nulls', ARRAYS, '[', 'null,', 'null]'),
    ...listAll('arrays', ARRAYS, '[', '[[],[[]]],', '[]]'),
    ...listAll('deep arrays', ARRAYS, '[', `${'['.repeat(5000)}${']'.repeat(5000)},`, '[]]'),
    () => ({
      name: 'legacy commands',
      path: '',
      body: fill('{"method":"cancel_push","params":{"uid":"u"}}', '{}', ''),
    }),
  ]
}

/** Made one by one, because all of them together are gigabytes. */
function listAll(kind: string, places: Places, open: string, item: string, close: string): (() => Input)[] {
  return Object.entries(places).map(([place, [path, template]]) => () => {
    const [before = '', after = ''] = template.split('*')
    return { name: `${kind}: ${place}`, path, body: fill(before + open, item, close + after) }
  })
}

function fill(before: string, item: string, after: string): Buffer {
  const items = Math.floor((BODY_BYTES - before.length - after.length) / item.length)
  return Buffer.concat([Buffer.from(before), Buffer.alloc(items * item.length, item), Buffer.from(after)])
}
