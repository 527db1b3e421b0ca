// The content of a notification as an operator may see it: the texts that its phone shows, and the settings. All other
// texts and numbers are hidden, and so are all of the app's `data`.

/** Members that a phone shows, or that are settings of providers. */
const SHOWN = new Set([
  'title',
  'subtitle',
  'body',
  'image',
  'icon',
  'sound',
  'badge',
  'notification_count',
  'tag',
  'topic',
  'category',
  'thread-id',
  'loc-key',
  'title-loc-key',
  'click_action',
  'link',
  'priority',
  'ttl',
  'collapse_key',
  'interruption-level',
  'relevance-score',
  'content-available',
  'mutable-content',
  'channel_id',
  'urgency',
  'apns-priority',
  'apns-push-type',
  'apns-topic',
  'apns-collapse-id',
  'apns-expiration',
])

const HIDDEN = '(hidden)'

/** The JSON of a notification, with texts of unknown meaning hidden, on several lines. */
export function maskNotification(json: Buffer): string {
  try {
    return JSON.stringify(mask(JSON.parse(json.toString()), '', false), undefined, 2)
  } catch {
    // Accepted notifications are JSON; templates may be in their texts only.
    return HIDDEN
  }
}

/** The headers of a notification, one on each line. */
export function maskHeaders(headers: ReadonlyMap<string, string>): string {
  return [...headers].map(([name, value]) => `${name}: ${SHOWN.has(name.toLowerCase()) ? value : HIDDEN}`).join('\n')
}

/** @param isData whether the value is in the data of the app, where `title` is no title */
function mask(value: unknown, name: string, isData: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => mask(item, name, isData))
  if (typeof value === 'string' || typeof value === 'number') return SHOWN.has(name) && !isData ? value : HIDDEN
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, mask(inner, key, isData || key === 'data')]),
  )
}
