// Generated FCM messages in the form of firebase-admin: valid ones, and ones with a mistake.
import { fc } from '../../tests/support/fast-check.ts'

/** A message in the form of firebase-admin. Mistakes give its members any type. */
export type SdkMessage = Record<string, unknown>

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const filled = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,10}$/).filter((key) => !/^(?:from|message_type|gcm|google)/.test(key))
const texts = fc.dictionary(name, text, { maxKeys: 4 })
const url = fc.stringMatching(/^https:\/\/[a-z]{1,9}\.com(?:\/[a-z0-9]{1,9}){0,2}$/)
const color = fc.stringMatching(/^#[0-9a-f]{6}$/)
const ms = fc.nat({ max: 60_000 })
const label = fc.stringMatching(/^[a-zA-Z0-9-_.~%]{1,50}$/)
const topic = fc.stringMatching(/^[a-zA-Z0-9-_.~%]{1,20}$/)

/** A record in which each field may be absent. */
function some<Fields extends Record<string, fc.Arbitrary<unknown>>>(fields: Fields) {
  return fc.record(fields, { requiredKeys: [] })
}

const options = some({ analyticsLabel: label })
const light = fc.record({ color, lightOnDurationMillis: ms, lightOffDurationMillis: ms })

const androidNotification = some({
  title: text,
  body: text,
  icon: text,
  color,
  sound: text,
  tag: text,
  clickAction: text,
  bodyLocKey: filled,
  titleLocKey: filled,
  channelId: text,
  ticker: text,
  sticky: fc.boolean(),
  eventTimestamp: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
  localOnly: fc.boolean(),
  priority: fc.constantFrom('min', 'low', 'default', 'high', 'max'),
  vibrateTimingsMillis: fc.array(ms, { minLength: 1, maxLength: 3 }),
  defaultVibrateTimings: fc.boolean(),
  defaultSound: fc.boolean(),
  lightSettings: light,
  defaultLightSettings: fc.boolean(),
  visibility: fc.constantFrom('private', 'public', 'secret'),
  notificationCount: fc.integer({ min: 0, max: 1000 }),
  imageUrl: url,
  proxy: fc.constantFrom('allow', 'deny', 'if_priority_lowered'),
})

const aps = some({
  alert: fc.oneof(text, some({ title: text, body: text, locKey: filled })),
  badge: fc.nat(),
  sound: fc.oneof(
    filled,
    fc.record({ name: filled, critical: fc.boolean(), volume: fc.double({ min: 0, max: 1, noNaN: true }) }),
  ),
  contentAvailable: fc.boolean(),
  mutableContent: fc.boolean(),
  threadId: text,
})

const content = some({
  data: texts,
  notification: some({ title: text, body: text, imageUrl: url }),
  android: some({
    collapseKey: text,
    priority: fc.constantFrom('high', 'normal'),
    ttl: fc.nat({ max: 2_419_200_000 }),
    restrictedPackageName: text,
    data: texts,
    notification: androidNotification,
    fcmOptions: options,
    directBootOk: fc.boolean(),
    bandwidthConstrainedOk: fc.boolean(),
    restrictedSatelliteOk: fc.boolean(),
  }),
  webpush: some({
    headers: texts,
    data: texts,
    notification: some({ title: text, body: text, vibrate: fc.array(fc.nat(), { maxLength: 2 }) }),
    fcmOptions: some({ link: url }),
  }),
  apns: some({
    headers: texts,
    payload: fc.record({ aps, custom: fc.jsonValue({ maxDepth: 2 }) }),
    fcmOptions: some({ analyticsLabel: label, imageUrl: url }),
    liveActivityToken: filled,
  }),
  fcmOptions: options,
})

const condition = fc
  .tuple(topic, topic, fc.constantFrom('&&', '||'))
  .map(([a, b, operator]) => `'${a}' in topics ${operator} !('${b}' in topics)`)

const target = fc.oneof(
  fc.record({ token: fc.stringMatching(/^[\w-]{22}:APA91b[\w-]{134}$/) }),
  fc.record({ topic }),
  fc.record({ condition }),
)

/** Messages without a mistake. */
export const goodMessage: fc.Arbitrary<SdkMessage> = fc
  .tuple(content, target)
  .map(([members, address]) => ({ ...members, ...address }))

/** A mistake in a message, and the verdicts about it. */
export interface Mistake {
  what: string
  /** Makes the mistake in a copy of a message. */
  make(message: SdkMessage): void
  /** What refuses it. Without an explanation, both do. */
  refusedBy: 'both' | 'simulator' | 'firebase-admin'
  /** Why only one of them refuses it: what Google's reference says. */
  because?: string
}

/** The object at a path of a message; it is made if it is absent. */
function at(message: SdkMessage, ...path: readonly string[]): SdkMessage {
  let object = message
  for (const key of path) {
    const next = object[key]
    const isObject = typeof next === 'object' && next !== null && !Array.isArray(next)
    const child: SdkMessage = isObject ? { ...next } : {}
    object[key] = child
    object = child
  }
  return object
}

const set = (value: unknown, ...path: readonly string[]) => {
  const [key = '', ...parents] = path.toReversed()
  return (message: SdkMessage) => {
    at(message, ...parents.toReversed())[key] = value
  }
}

function setTarget(address: SdkMessage) {
  return (message: SdkMessage) => {
    for (const key of ['token', 'topic', 'condition']) delete message[key]
    Object.assign(message, address)
  }
}

const TYPES = 'the types of the discovery document; firebase-admin leaves them to TypeScript'
const FIELDS = 'the fields of the discovery document; firebase-admin passes others on'
const CLIENT = 'a rule of firebase-admin alone; FCM’s reference has none'

const both = (what: string, make: Mistake['make']): Mistake => ({ what, make, refusedBy: 'both' })
const simulator = (what: string, because: string, make: Mistake['make']): Mistake => {
  return { what, make, refusedBy: 'simulator', because }
}
const admin = (what: string, because: string, make: Mistake['make']): Mistake => {
  return { what, make, refusedBy: 'firebase-admin', because }
}

/** Mistakes of senders, each with the verdicts of the simulator and of firebase-admin. */
export const MISTAKES: readonly Mistake[] = [
  both('a number in data', set(21_465, 'data', 'id')),
  both('a boolean in data', set(true, 'data', 'id')),
  both('null in data', set(null, 'data', 'id')),
  both('a list in data', set(['a'], 'data', 'id')),
  both('data that is a text', set('a', 'data')),
  both('a number in android.data', set(1, 'android', 'data', 'a')),
  both('a number in webpush.data', set(1, 'webpush', 'data', 'a')),
  both('a number in webpush.headers', set(15, 'webpush', 'headers', 'TTL')),
  both('a number in apns.headers', set(10, 'apns', 'headers', 'apns-priority')),
  both('android that is a text', set('a', 'android')),
  both('apns that is a number', set(1, 'apns')),
  both('webpush that is a number', set(1, 'webpush')),
  both('notification that is a text', set('a', 'notification')),
  both('android.notification that is a number', set(1, 'android', 'notification')),
  both('a ttl that is a text', set('soon', 'android', 'ttl')),
  both('a negative ttl', set(-1000, 'android', 'ttl')),
  both('a color without #', set('ff0000', 'android', 'notification', 'color')),
  both('a color by name', set('red', 'android', 'notification', 'color')),
  both('a negative vibration', set([-5], 'android', 'notification', 'vibrateTimingsMillis')),
  both('a label that is a number', set(5, 'fcmOptions', 'analyticsLabel')),
  both('apns.payload that is a text', set('a', 'apns', 'payload')),
  both('a live activity token that is a number', set(5, 'apns', 'liveActivityToken')),
  both('no target', setTarget({})),
  both('two targets', setTarget({ token: 't', topic: 'news' })),
  both('an empty token', setTarget({ token: '' })),
  both('a topic with a space', setTarget({ topic: 'new s' })),
  both('a topic with a slash', setTarget({ topic: 'a/b' })),
  simulator('a nested message', FIELDS, set({ notification: { title: 'a' } }, 'message')),
  simulator('to', FIELDS, set('/topics/x', 'to')),
  simulator('registration_ids', FIELDS, set(['a'], 'registration_ids')),
  simulator('notification.sound', FIELDS, set('default', 'notification', 'sound')),
  simulator('android.notification.badge', FIELDS, set('1', 'android', 'notification', 'badge')),
  simulator('apns.aps', FIELDS, set({ alert: 'a' }, 'apns', 'aps')),
  simulator('a title that is a number', TYPES, set(5, 'notification', 'title')),
  simulator('a body that is an object', TYPES, set({}, 'notification', 'body')),
  simulator('a boolean that is a number', TYPES, set(1, 'android', 'notification', 'sticky')),
  simulator('a count that is no integer', TYPES, set(1.5, 'android', 'notification', 'notificationCount')),
  simulator('an unknown priority', TYPES, set('urgent', 'android', 'priority')),
  simulator('an unknown visibility', TYPES, set('hidden', 'android', 'notification', 'visibility')),
  simulator('webpush.notification that is a text', TYPES, set('a', 'webpush', 'notification')),
  simulator('loc_args that are numbers', TYPES, (message) => {
    set('key', 'android', 'notification', 'bodyLocKey')(message)
    set([5], 'android', 'notification', 'bodyLocArgs')(message)
  }),
  simulator('the reserved key from', 'Message.data: a reserved word', set('x', 'data', 'from')),
  simulator('a reserved key of Google', 'Message.data: a reserved word', set('x', 'data', 'google.sent_time')),
  simulator(
    'the reserved key message_type',
    'Message.data: a reserved word',
    set('x', 'android', 'data', 'message_type'),
  ),
  simulator('a ttl of five weeks', 'ErrorCode: between 0 and 2,419,200', set(3_024_000_000, 'android', 'ttl')),
  simulator('a label with a space', 'the format of labels', set('a b', 'android', 'fcmOptions', 'analyticsLabel')),
  simulator(
    'a link over http',
    'WebpushFcmOptions.link: HTTPS is required',
    set('http://a.b', 'webpush', 'fcmOptions', 'link'),
  ),
  simulator('a condition that is none', 'Message.condition', setTarget({ condition: 'a in topics' })),
  simulator('a condition of six topics', 'up to five topics', setTarget({ condition: sixTopics() })),
  simulator('a condition with one bracket', 'Message.condition', setTarget({ condition: "('a' in topics" })),
  admin('an image that is no URL', CLIENT, set('not a url', 'notification', 'imageUrl')),
  admin('arguments without a key', CLIENT, (message) => {
    const notification = at(message, 'android', 'notification')
    delete notification.bodyLocKey
    notification.bodyLocArgs = ['a']
  }),
  admin('an empty list of vibrations', CLIENT, set([], 'android', 'notification', 'vibrateTimingsMillis')),
  admin('light settings without durations', CLIENT, set({ color: {} }, 'android', 'notification', 'lightSettings')),
  admin('an alert that is a number', 'ApnsConfig.payload: any object', set(5, 'apns', 'payload', 'aps', 'alert')),
  admin('a sound without a name', 'ApnsConfig.payload: any object', set({}, 'apns', 'payload', 'aps', 'sound')),
  admin('an empty live activity token', CLIENT, set('', 'apns', 'liveActivityToken')),
  admin('an installation id', 'Message.fid, which firebase-admin 13 lacks', setTarget({ fid: 'c'.repeat(22) })),
]

function sixTopics(): string {
  return Array.from('abcdef', (letter) => `'${letter}' in topics`).join(' || ')
}
