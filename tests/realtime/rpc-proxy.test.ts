import { once } from 'node:events'
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { clientError, PROXY_KEY, RealtimeRig, readId } from './realtime-rig.ts'

const rig = new RealtimeRig(() => ({ client_push: { user_limit: 1000, topics: ['news-*'] } }))

const ACK = JSON.stringify({ user: '42', method: 'push:ack', data: { uids: ['m1'] } })
const DONE = { result: { data: {} } }
const UNAUTHORIZED = clientError(101, 'unauthorized')

test('answers 200 and an empty result to an ack', async () => {
  const answer = await rig.proxy(ACK)
  expect([answer.status, answer.headers.get('content-type'), await answer.json()]).toEqual([
    200,
    'application/json',
    DONE,
  ])
})

describe('a request that does not come from the node', () => {
  const forged: [string, Record<string, string>][] = [
    ['has no key', {}],
    ['has another key', { 'x-centripush-proxy-key': 'key-of-the-prox' }],
    ['has a longer key', { 'x-centripush-proxy-key': `${PROXY_KEY}y` }],
    ['has the API key as the key', { 'x-centripush-proxy-key': 'test-key' }],
    ['has the API key in its own header', { 'x-api-key': 'test-key' }],
    ['has the key in the header of the API', { 'x-api-key': PROXY_KEY }],
    ['has the key as a bearer token', { authorization: `Bearer ${PROXY_KEY}` }],
    ['has two keys in one header', { 'x-centripush-proxy-key': `${PROXY_KEY}, ${PROXY_KEY}` }],
  ]
  test.each(forged)('is refused when it %s', async (_, headers) => {
    const answer = await rig.proxy(ACK, headers)
    expect([answer.status, await answer.json()]).toEqual([200, UNAUTHORIZED])
  })

  test('is refused when a client has added a header beside the one of the node', async () => {
    const outgoing = request(`${rig.url}/proxy/rpc`, { method: 'POST' })
    outgoing.setHeader('x-centripush-proxy-key', [PROXY_KEY, 'guess'])
    outgoing.end(ACK)
    const [answer] = await once(outgoing, 'response')
    expect(await json(answer)).toEqual(UNAUTHORIZED)
  })

  test('gets no API access with the key of the proxy', async () => {
    const answer = await fetch(`${rig.url}/api/device_list`, {
      method: 'POST',
      headers: { 'x-api-key': PROXY_KEY },
      body: '{}',
    })
    expect(answer.status).toBe(401)
  })
})

describe('a call', () => {
  const BAD_REQUEST = clientError(107, 'bad request')
  test.each<[string, string, string, unknown, object]>([
    ['of an anonymous connection', '', 'push:ack', { uids: ['m1'] }, clientError(103, 'permission denied')],
    ['of an unknown method', '42', 'push:nothing', {}, clientError(104, 'not found')],
    ['of a method of servers', '42', 'push:send_push_notification', {}, clientError(104, 'not found')],
    ['without a method', '42', '', {}, clientError(104, 'not found')],
    ['without data', '42', 'push:ack', undefined, BAD_REQUEST],
    ['with null as data', '42', 'push:ack', null, BAD_REQUEST],
    ['with an array as data', '42', 'push:ack', [1, 2.5], BAD_REQUEST],
    ['with a field of a wrong type', '42', 'push:ack', { uids: 'm1' }, BAD_REQUEST],
    ['without uids', '42', 'push:ack', { uids: [] }, BAD_REQUEST],
    ['with a uid that no send can have', '42', 'push:ack', { uids: ['a{b'] }, BAD_REQUEST],
    ['with 501 uids', '42', 'push:ack', { uids: Array.from({ length: 501 }, (_, at) => `u${at}`) }, BAD_REQUEST],
    ['with an unknown kind of ack', '42', 'push:ack', { uids: ['m1'], kind: 'guessed' }, BAD_REQUEST],
    ['of a user with a control character', 'a\tb', 'push:ack', { uids: ['m1'] }, BAD_REQUEST],
    ['through another namespace', '42', 'other:ack', { uids: ['m1'] }, DONE],
    ['that tells that it was received only', '42', 'push:ack', { uids: ['m1'], kind: 'received' }, DONE],
  ])('%s', async (_, user, method, data, expected) => {
    expect(await rig.rpc(user, method, data)).toEqual(expected)
  })

  test('that is not JSON is an error with status 200', async () => {
    const answer = await rig.proxy('oops')
    expect([answer.status, await answer.json()]).toEqual([200, BAD_REQUEST])
  })

  test('has its data as base64 with binary_encoding', async () => {
    const call = (b64data: string) =>
      rig.proxy(JSON.stringify({ encoding: 'binary', user: '42', method: 'bin:ack', b64data })).then((a) => a.json())
    expect(await call(Buffer.from('{"uids":["m1"]}').toString('base64'))).toEqual(DONE)
    expect(await call(Buffer.from('{"uids":').toString('base64'))).toEqual(BAD_REQUEST)
  })

  test('of more than 256 KiB is not read', async () => {
    const answer = await rig.proxy(JSON.stringify({ user: '42', method: 'push:ack', data: 'x'.repeat(300_000) }))
    expect(answer.status).toBe(413)
  })
})

test('a flood of one user is answered with error 111, and does not touch other users', async () => {
  const uids = Array.from({ length: 200 }, (_, at) => `flood-${at}`)
  const answers = await Promise.all(Array.from({ length: 20 }, () => rig.rpc('flooder', 'push:ack', { uids })))
  const refused = clientError(111, 'too many requests', true)
  expect(answers.filter((answer) => JSON.stringify(answer) === JSON.stringify(refused))).toHaveLength(15)
  expect(await rig.rpc('neighbour', 'push:ack', { uids: ['m1'] })).toEqual(DONE)
  const metrics = await (await fetch(`${rig.url}/metrics`)).text()
  expect(metrics).toContain('centripush_client_call_count{transport="rpc",method="ack",code="111"} 15')
})

test('topics count like calls, and there are at most 500 of them', async () => {
  const topics = (count: number) => Array.from({ length: count }, (_, at) => `news-${at}`)
  const phone = { provider: 'fcm', platform: 'android', token: 'phone-of-a-collector' }
  const call = (count: number) => rig.rpc('collector', 'push:device_register', { ...phone, topics: topics(count) })
  expect(await call(501)).toEqual(clientError(107, 'bad request'))
  expect(readId(await call(400))).not.toBe('')
  expect(readId(await call(400))).not.toBe('')
  expect(await call(400)).toEqual(clientError(111, 'too many requests', true))
})

test('a client registers, changes and removes its device', async () => {
  const register = { provider: 'fcm', platform: 'android', token: 'phone-of-42', timezone: 'Europe/Berlin' }
  const id = readId(await rig.rpc('42', 'push:device_register', register))
  const list = () => rig.api('device_list', { filter: { users: ['42'] } })
  expect(await list()).toMatchObject({ result: { items: [{ id, token: 'phone-of-42', timezone: 'Europe/Berlin' }] } })
  expect(await rig.rpc('42', 'push:device_update', { id, locale_update: { locale: 'de' } })).toEqual(DONE)
  expect(await list()).toMatchObject({ result: { items: [{ id, locale: 'de' }] } })
  expect(await rig.rpc('42', 'push:status', { analytics_uid: 'm1', status: 'delivered', device_id: id })).toEqual(DONE)
  expect(await rig.rpc('42', 'push:device_remove', { id })).toEqual(DONE)
  expect(await list()).toEqual({ result: { items: [] } })
  // A logout can be repeated.
  expect(await rig.rpc('42', 'push:device_remove', { id })).toEqual(DONE)
})
