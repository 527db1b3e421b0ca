// The FCM simulator and firebase-admin's validator judge the same 2,000 messages. They agree, except for mistakes that
// only one of them refuses, each with its reason in Google's reference.
import { afterAll, expect, test } from 'vitest'
import { validateMessage } from '../../node_modules/firebase-admin/lib/messaging/messaging-internal.js'
import { checkMessage } from '../../src/simulators/fcm/message-check.ts'
import { fc } from '../../tests/support/fast-check.ts'
import { goodMessage, MISTAKES, type Mistake, type SdkMessage } from './fcm-messages.ts'

const MESSAGES = 2000

/** How often each verdict and each mistake was seen. */
const counts = new Map<string, number>()
function count(what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}
afterAll(() => {
  const differing = MISTAKES.filter(({ refusedBy }) => refusedBy !== 'both')
  console.log(`${MESSAGES} messages: ${[...counts].map(([what, times]) => `${times} ${what}`).join(', ')}`)
  for (const { what, refusedBy, because } of differing) console.log(`  ${what}: refused by ${refusedBy}: ${because}`)
})

/** firebase-admin changes a valid message to the form of FCM. Undefined: it refuses the message. */
function validate(message: SdkMessage): SdkMessage | undefined {
  const copy = structuredClone(message)
  try {
    // The message may have any form: whether it is a Message is the question.
    validateMessage(copy as never)
    return copy
  } catch {
    return undefined
  }
}

/** Writes a message that firebase-admin refuses in the form of FCM, with its mistakes. */
function toWire(message: SdkMessage): SdkMessage {
  const wire = structuredClone(message)
  const android = memberOf(wire, 'android')
  const notification = android && memberOf(android, 'notification')
  if (typeof android?.ttl === 'number') android.ttl = `${android.ttl / 1000}s`
  for (const object of [memberOf(wire, 'notification'), notification, memberOf(memberOf(wire, 'apns'), 'fcmOptions')]) {
    rename(object, 'imageUrl', 'image')
  }
  if (notification) {
    rename(notification, 'eventTimestamp', 'eventTime')
    rename(notification, 'vibrateTimingsMillis', 'vibrateTimings', (list) => durations(list))
    rename(notification, 'priority', 'notificationPriority', (level) => `PRIORITY_${level}`)
    const light = memberOf(notification, 'lightSettings')
    rename(light, 'lightOnDurationMillis', 'lightOnDuration', (value) => `${Number(value) / 1000}s`)
    rename(light, 'lightOffDurationMillis', 'lightOffDuration', (value) => `${Number(value) / 1000}s`)
    if (typeof light?.color === 'string') light.color = { red: 1 }
  }
  return wire
}

function memberOf(object: SdkMessage | undefined, key: string): SdkMessage | undefined {
  const member = object?.[key]
  return typeof member === 'object' && member !== null && !Array.isArray(member) ? (member as SdkMessage) : undefined
}

function rename(object: SdkMessage | undefined, from: string, to: string, convert = (value: unknown) => value): void {
  if (!object || !(from in object)) return
  object[to] = convert(object[from])
  delete object[from]
}

function durations(list: unknown): unknown {
  return Array.isArray(list) ? list.map((value) => `${Number(value) / 1000}s`) : list
}

function isRefusedBy(mistakes: readonly Mistake[], judge: 'simulator' | 'firebase-admin'): boolean {
  return mistakes.some(({ refusedBy }) => refusedBy === 'both' || refusedBy === judge)
}

test('the simulator and firebase-admin judge messages alike, except where the reference explains it', () => {
  // Half of the messages have a mistake.
  const mistakes = fc.oneof(
    fc.constant([]),
    fc.constantFrom(...MISTAKES).map((mistake) => [mistake]),
  )
  void fc.assert(
    fc.property(goodMessage, mistakes, (good, made) => {
      const message = structuredClone(good)
      for (const { make } of made) make(message)
      const accepted = validate(message)
      const body = JSON.stringify({ message: accepted ?? toWire(message) })
      const checked = checkMessage(body)
      const verdicts = { simulator: 'refusal' in checked, 'firebase-admin': accepted === undefined }
      expect({ message, ...verdicts }).toEqual({
        message,
        simulator: isRefusedBy(made, 'simulator'),
        'firebase-admin': isRefusedBy(made, 'firebase-admin'),
      })
      const isSame = verdicts.simulator === verdicts['firebase-admin']
      count(isSame ? (verdicts.simulator ? 'refused by both' : 'accepted by both') : 'judged differently')
    }),
    { numRuns: MESSAGES },
  )
  expect([...counts.values()].reduce((sum, times) => sum + times, 0)).toBe(MESSAGES)
  for (const what of ['refused by both', 'accepted by both', 'judged differently']) {
    expect(counts.get(what)).toBeGreaterThan(100)
  }
})

test.each(MISTAKES)('$what is refused by $refusedBy', ({ make, refusedBy }) => {
  const message: SdkMessage = { token: 't' }
  make(message)
  const accepted = validate(message)
  const checked = checkMessage(JSON.stringify({ message: accepted ?? toWire(message) }))
  expect({ simulator: 'refusal' in checked, 'firebase-admin': accepted === undefined }).toEqual({
    simulator: refusedBy !== 'firebase-admin',
    'firebase-admin': refusedBy !== 'simulator',
  })
})
