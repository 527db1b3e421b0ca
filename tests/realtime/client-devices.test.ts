// A client that tries to reach devices, topics and pushes of other users.
import { describe, expect, test } from 'vitest'
import { clientError, RealtimeRig, readId } from './realtime-rig.ts'

const rig = new RealtimeRig(() => ({
  client_push: { topics: ['news-*', 'chat-{user}', 'team-{user}-*'], meta_keys: ['app_version'] },
}))

const DONE = { result: { data: {} } }
const NOT_FOUND = clientError(104, 'not found')
const DENIED = clientError(103, 'permission denied')

const PHONE = { provider: 'fcm', platform: 'android' }

describe('a device of another user', () => {
  test.each<[string, (id: string) => object, object]>([
    ['push:device_update', (id) => ({ id, locale_update: { locale: 'de' } }), NOT_FOUND],
    ['push:device_topic_update', (id) => ({ device_id: id, op: 'add', topics: ['news-1'] }), NOT_FOUND],
    ['push:status', (id) => ({ analytics_uid: 'm', status: 'interacted', device_id: id }), NOT_FOUND],
    ['push:ack', (id) => ({ uids: ['m'], device_id: id }), NOT_FOUND],
    // The same answer as for the user's own: nothing is learnt from it.
    ['push:device_remove', (id) => ({ id }), DONE],
  ])('is not touched by %s', async (method, makeData, expected) => {
    const token = `victim-${method}`
    const id = await rig.register('victim', token)
    const before = await rig.api('device_list', { filter: { ids: [id] }, include_topics: true })
    expect(await rig.rpc('attacker', method, makeData(id))).toEqual(expected)
    // A user in the request does not count.
    expect(await rig.rpc('attacker', method, { ...makeData(id), user: 'victim', users: ['victim'] })).toEqual(expected)
    expect(await rig.api('device_list', { filter: { ids: [id] }, include_topics: true })).toEqual(before)
  })

  test('is not taken over with its id and another token', async () => {
    const id = await rig.register('victim', 'victim-phone')
    expect(await rig.rpc('attacker', 'push:device_register', { ...PHONE, id, token: 'attacker-phone' })).toEqual(
      NOT_FOUND,
    )
    expect(await rig.api('device_list', { filter: { ids: [id] } })).toMatchObject({
      result: { items: [{ user: 'victim', token: 'victim-phone' }] },
    })
  })
})

test('an account switch on a phone moves its token to the new user, with and without its id', async () => {
  const id = await rig.register('first', 'shared-phone')
  const request = { ...PHONE, token: 'shared-phone' }
  expect(await rig.rpc('second', 'push:device_register', { ...request, id })).toEqual({ result: { data: { id } } })
  expect(readId(await rig.rpc('third', 'push:device_register', request))).toBe(id)
  expect(await rig.api('device_list', { filter: { users: ['first', 'second'] } })).toEqual({ result: { items: [] } })
})

test('a registration belongs to the user of the connection, whatever it says', async () => {
  const id = readId(await rig.rpc('mallory', 'push:device_register', { ...PHONE, token: 'm-phone', user: 'victim' }))
  expect(await rig.api('device_list', { filter: { ids: [id] } })).toMatchObject({
    result: { items: [{ user: 'mallory' }] },
  })
})

describe('topics and meta of a client', () => {
  test.each<[string, object, boolean]>([
    ['a topic that a pattern allows', { topics: ['news-sport'] }, true],
    ['the topic of its user', { topics: ['chat-u.1*'] }, true],
    ['the topic of another user', { topics: ['chat-u.2*'] }, false],
    ['a topic that the user’s characters match as a pattern', { topics: ['chat-ux1zzz'] }, false],
    ['a topic that only begins with an allowed one', { topics: ['chat-u.1*-secret'] }, false],
    ['a topic that contains an allowed one', { topics: ['x-news-sport'] }, false],
    ['one allowed topic and one other', { topics: ['news-sport', 'billing'] }, false],
    ['a topic below that of its user', { topics: ['team-u.1*-a'] }, true],
    ['an allowed name in meta', { meta: { app_version: '1' } }, true],
    ['another name in meta', { meta: { app_version: '1', role: 'admin' } }, false],
  ])('%s', async (name, fields, isAllowed) => {
    const answer = await rig.rpc('u.1*', 'push:device_register', {
      ...PHONE,
      token: `t-${name.replaceAll(' ', '-')}`,
      ...fields,
    })
    if (!isAllowed) return expect(answer).toEqual(DENIED)
    const id = readId(answer)
    const { topics } = { topics: undefined, ...fields }
    if (!topics) return
    expect(await rig.rpc('u.1*', 'push:device_topic_update', { device_id: id, op: 'set', topics })).toEqual(DONE)
    const update = { id, topics_update: { op: 'remove', topics } }
    expect(await rig.rpc('u.1*', 'push:device_update', update)).toEqual(DONE)
  })

  test('are refused in every method', async () => {
    const id = await rig.register('u', 'own-phone')
    const topics = ['billing']
    expect(await rig.rpc('u', 'push:device_topic_update', { device_id: id, op: 'add', topics })).toEqual(DENIED)
    expect(await rig.rpc('u', 'push:device_update', { id, topics_update: { op: 'add', topics } })).toEqual(DENIED)
    expect(await rig.rpc('u', 'push:device_update', { id, meta_update: { meta: { role: 'admin' } } })).toEqual(DENIED)
  })
})
