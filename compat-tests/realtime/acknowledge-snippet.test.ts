// examples/clients/acknowledge.js in a page that the test shows, hides and focuses.
import * as v from 'valibot'
import { beforeEach, expect, test, vi } from 'vitest'

const SNIPPET = new URL('../../examples/clients/acknowledge.js', import.meta.url).href
const Snippet = v.object({ acknowledgeSeen: v.function() })

class Page extends EventTarget {
  visibilityState = 'visible'
  isFocused = true
  hasFocus = () => this.isFocused
}

/** One second is more than any time of the snippet but that of a repetition. */
const SOON_MS = 1000
const REPEAT_MS = 3000

let page: Page
let calls: string[][]
/** The error of the next calls. */
let failure: object | undefined
let publish: (publication: object) => void

beforeEach(async () => {
  vi.useFakeTimers()
  page = new Page()
  vi.stubGlobal('document', page)
  vi.stubGlobal('window', page)
  calls = []
  failure = undefined
  const rpc = async (method: string, { uids }: { uids: string[] }) => {
    expect(method).toBe('push:ack')
    calls.push(uids)
    if (failure) throw failure
  }
  const { acknowledgeSeen } = v.parse(Snippet, await import(SNIPPET))
  publish = v.parse(v.function(), acknowledgeSeen({ rpc }))
  return () => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  }
})

const uid = (push_uid: string) => ({ tags: { push_uid } })

test('publications that are seen are acknowledged together, each uid once', async () => {
  for (const name of ['a', 'b', 'a']) publish(uid(name))
  publish({ data: 'without tags' })
  expect(calls).toEqual([])
  await vi.advanceTimersByTimeAsync(SOON_MS)
  expect(calls).toEqual([['a', 'b']])
})

test.each([
  ['hidden', () => void Object.assign(page, { visibilityState: 'hidden' }), 'visibilitychange'],
  ['without the focus', () => void Object.assign(page, { isFocused: false }), 'focus'],
])('in a page that is %s they are acknowledged as soon as the user sees it', async (_, leave, event) => {
  leave()
  publish(uid('a'))
  await vi.advanceTimersByTimeAsync(10 * SOON_MS)
  expect(calls).toEqual([])
  Object.assign(page, { visibilityState: 'visible', isFocused: true })
  page.dispatchEvent(new Event(event))
  await vi.advanceTimersByTimeAsync(SOON_MS)
  expect(calls).toEqual([['a']])
})

test('more than 500 uids are several calls', async () => {
  for (let at = 0; at < 1200; at++) publish(uid(`${at}`))
  await vi.advanceTimersByTimeAsync(SOON_MS)
  expect(calls.map(({ length }) => length)).toEqual([500, 500, 200])
})

test.each([
  ['a temporary error', { code: 111, temporary: true }, 2],
  ['a lost connection', { code: 3 }, 2],
  ['an error that stays', { code: 103, temporary: false }, 1],
])('after %s a call is repeated if that can help', async (_, error, expected) => {
  failure = error
  publish(uid('a'))
  await vi.advanceTimersByTimeAsync(SOON_MS)
  failure = undefined
  await vi.advanceTimersByTimeAsync(REPEAT_MS)
  expect(calls).toEqual(Array.from({ length: expected }, () => ['a']))
})
