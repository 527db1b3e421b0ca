// publish_or_push with a node whose answers the test writes.
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { answerWith, type NodeRequest, startNode, type TestNode } from '../support/edge.ts'
import { RealtimeRig } from './realtime-rig.ts'

/** What the node answers to a batch with these commands. */
type Answer = (commands: Record<string, Record<string, unknown>>[]) => unknown

const publishAll: Answer = (commands) => ({
  replies: commands.map((command) =>
    command.broadcast
      ? { broadcast: { responses: [{ result: { offset: 1, epoch: 'e' } }] } }
      : { publish: { offset: 7, epoch: 'e' } },
  ),
})

let node: TestNode
let answer: Answer = publishAll
/** Replaces the answer by something that is not one. */
let misbehave: ((request: NodeRequest, outgoing: Parameters<Parameters<typeof startNode>[0]>[1]) => void) | undefined
/** The commands that the node received, each with its bytes. */
let received: { commands: Record<string, Record<string, unknown>>[]; body: string }[] = []

const rig = new RealtimeRig(async () => {
  node = await startNode((request, outgoing) => {
    const { commands } = JSON.parse(request.body)
    received.push({ commands, body: request.body })
    if (misbehave) misbehave(request, outgoing)
    else answerWith(outgoing, JSON.stringify(answer(commands)))
  })
  return {
    upstream: { address: node.address, api_key: 'key-of-the-node', timeout: '500ms' },
    push_notifications: { publish_or_push: { presence_max_clients: 3 } },
  }
})
afterAll(() => node.stop())
beforeEach(() => {
  answer = publishAll
  misbehave = undefined
  received = []
})

const NOTIFICATION = { fcm: { message: {} } }
const push = (uid: string, ...users: string[]) => ({
  uid,
  recipient: { filter: { users } },
  notification: NOTIFICATION,
})
const PUBLISH = { channel: 'chat', data: { text: 'hi' } }

async function waitForTargets(count: number, before: number): Promise<string[]> {
  await rig.fcm.waitForAccepted(before + count)
  await rig.api('send_push_notification', { recipient: { fcm_tokens: ['sentinel'] }, notification: NOTIFICATION })
  await rig.fcm.waitForAccepted(before + count + 1)
  return rig.targetsSince(before).filter((target) => target !== 'sentinel')
}

/** The sends that wait for their time. */
async function scheduled(uid: string): Promise<number> {
  const rows = await rig.database.sql`
    select extract(epoch from claimable_at - clock_timestamp())::float8 as wait from push_sends where uid = ${uid}`
  return Number(rows[0]?.wait)
}

test('publishes with the uid as a tag, and pushes after the delay to those who do not acknowledge', async () => {
  for (const user of ['ann', 'bob', 'author']) await rig.register(user, `${user}-phone`)
  const before = rig.fcm.accepted.length
  const request = {
    publish: PUBLISH,
    push: push('m1', 'ann', 'bob', 'author'),
    delay_ms: 700,
    except_users: ['author'],
  }
  expect(await rig.api('publish_or_push', request)).toEqual({ result: { uid: 'm1', offset: 7, epoch: 'e' } })
  expect(received.map(({ commands }) => commands)).toEqual([
    [{ publish: { ...PUBLISH, tags: { push_uid: 'm1' }, idempotency_key: 'm1' } }],
  ])
  await rig.rpc('ann', 'push:ack', { uids: ['m1'] })
  expect(await waitForTargets(1, before)).toEqual(['bob-phone'])
})

test('keeps the bytes of the publication, its tags and its idempotency key', async () => {
  const data = '{"big":12345678901234567890,"float":1.0,"dup":1,"dup":2,"escaped":"\\u00e9"}'
  const request = `{"publish":{"Channel":"c","TAGS":{"a":"b","__proto__":"c"},"data":${data},"idempotency_key":"own"},
    "push":${JSON.stringify(push('m2', 'nobody'))}}`
  expect(await rig.api('publish_or_push', request)).toMatchObject({ result: { uid: 'm2' } })
  expect(received[0]?.body).toBe(
    `{"commands":[{"publish":{"Channel":"c","data":${data},` +
      '"tags":{"a":"b","__proto__":"c","push_uid":"m2"},"idempotency_key":"own"}}],"parallel":true}',
  )
})

test('waits the configured delay when the request has none', async () => {
  await rig.api('publish_or_push', { publish: PUBLISH, push: push('default-delay', 'nobody') })
  expect(await scheduled('default-delay')).toBeGreaterThan(8)
})

test('a broadcast returns the responses of all channels', async () => {
  const request = { broadcast: { channels: ['a'], data: {} }, push: push('to-channels', 'nobody'), delay_ms: 0 }
  expect(await rig.api('publish_or_push', request)).toEqual({
    result: { uid: 'to-channels', responses: [{ result: { offset: 1, epoch: 'e' } }] },
  })
})

test('concurrent publications share a request, apart from those of one channel', async () => {
  const call = (uid: string, channel: string) => ({
    publish_or_push: { publish: { channel, data: {} }, push: push(uid, 'ann'), delay_ms: 60_000 },
  })
  const commands = [call('g1', 'one'), call('g2', 'two'), call('g3', 'one')]
  await rig.api('batch', { commands, parallel: true })
  const channels = received.map(({ commands }) => commands.map(({ publish }) => publish?.channel))
  expect(channels).toEqual([['one', 'two'], ['one']])
})

test('a publication that the node refuses does not fail the others of its request', async () => {
  misbehave = ({ body }, outgoing) => {
    if (body.includes('bad')) answerWith(outgoing, 'Bad Request', 400)
    else answerWith(outgoing, JSON.stringify(publishAll(JSON.parse(body).commands)))
  }
  const call = (uid: string, channel: string) => ({
    publish_or_push: { publish: { channel, data: {} }, push: push(uid, 'ann'), delay_ms: 60_000 },
  })
  const replies = await rig.api('batch', { commands: [call('r1', 'bad'), call('r2', 'good')], parallel: true })
  expect(replies).toEqual({
    replies: [
      { publish_or_push: { uid: 'r1', publish_error: { code: 100, message: 'internal server error' } } },
      { publish_or_push: { uid: 'r2', offset: 7, epoch: 'e' } },
    ],
  })
})

test('can be a command of a batch', async () => {
  const batch = { commands: [{ publish_or_push: { publish: PUBLISH, push: push('in-batch', 'nobody') } }] }
  expect(await rig.api('batch', batch)).toEqual({
    replies: [{ publish_or_push: { uid: 'in-batch', offset: 7, epoch: 'e' } }],
  })
})

test('the same call repeated pushes once, with the same idempotency key; another call is a conflict', async () => {
  await rig.register('cat', 'cat-phone')
  const before = rig.fcm.accepted.length
  const request = { publish: PUBLISH, push: push('again', 'cat'), delay_ms: 300 }
  const answers = await Promise.all(Array.from({ length: 5 }, () => rig.api('publish_or_push', request)))
  expect(answers).toEqual(answers.map(() => ({ result: { uid: 'again', offset: 7, epoch: 'e' } })))
  const keys = received.map(({ commands }) => commands[0]?.publish?.idempotency_key)
  expect(keys).toEqual(answers.map(() => 'again'))
  received = []
  const conflict = { error: { code: 113, message: 'conflict' } }
  expect(await rig.api('publish_or_push', { ...request, publish: { ...PUBLISH, channel: 'other' } })).toEqual(conflict)
  expect(await rig.api('publish_or_push', { ...request, except_users: ['cat'] })).toEqual(conflict)
  expect(received).toEqual([])
  expect(await waitForTargets(1, before)).toEqual(['cat-phone'])
})

describe('when the node', () => {
  const noAnswer = { code: 100, message: 'internal server error' }
  const misbehaviours: [string, typeof misbehave][] = [
    ['is cut off', (_, outgoing) => outgoing.destroy()],
    ['answers 500', (_, outgoing) => answerWith(outgoing, '{}', 500)],
    ['answers something else', (_, outgoing) => answerWith(outgoing, '{"replies":[]}')],
    ['answers a reply to another command', (_, outgoing) => answerWith(outgoing, '{"replies":[{"broadcast":{}}]}')],
    ['does not answer', () => undefined],
  ]
  test.each(misbehaviours)('%s, the push stays and the answer says so', async (name, behaviour) => {
    await rig.register(name, `phone-${name.replaceAll(' ', '-')}`)
    const before = rig.fcm.accepted.length
    misbehave = behaviour
    const uid = `node ${name}`
    const request = { publish: PUBLISH, push: push(uid, name), delay_ms: 50 }
    expect(await rig.api('publish_or_push', request)).toEqual({ result: { uid, publish_error: noAnswer } })
    misbehave = undefined
    // The caller may repeat the call, which publishes now.
    expect(await rig.api('publish_or_push', request)).toEqual({ result: { uid, offset: 7, epoch: 'e' } })
    expect(await waitForTargets(1, before)).toEqual([`phone-${name.replaceAll(' ', '-')}`])
  })

  test('refuses the publication, the answer has the error of the node', async () => {
    answer = () => ({ replies: [{ error: { code: 102, message: 'unknown channel' } }] })
    const request = { publish: PUBLISH, push: push('refused', 'nobody') }
    expect(await rig.api('publish_or_push', request)).toEqual({
      result: { uid: 'refused', publish_error: { code: 102, message: 'unknown channel' } },
    })
    expect(await scheduled('refused')).toBeGreaterThan(8)
  })
})

describe('presence: "shorten"', () => {
  const present =
    (...users: string[]): Answer =>
    (commands) => ({
      replies: commands.map((command) => {
        if (command.presence_stats) return { presence_stats: { num_clients: users.length } }
        if (command.presence)
          return { presence: { presence: Object.fromEntries(users.map((user) => [user, { user }])) } }
        return { publish: {} }
      }),
    })
  const request = (uid: string, ...users: string[]) => ({
    publish: PUBLISH,
    push: push(uid, ...users),
    delay_ms: 60_000,
    presence: 'shorten',
  })

  test('pushes at once to those who are absent, and lets the others wait', async () => {
    for (const user of ['here', 'away']) await rig.register(user, `${user}-phone`)
    const before = rig.fcm.accepted.length
    answer = present('here', 'stranger')
    await rig.api('publish_or_push', request('shortened', 'here', 'away'))
    expect(await waitForTargets(1, before)).toEqual(['away-phone'])
    const [held] = await rig.database.sql`
      select extract(epoch from claimable_at - clock_timestamp())::float8 as wait from push_batches
      where uid = 'shortened'`
    expect(Number(held?.wait)).toBeGreaterThan(50)
  })

  test('an ack stops the push to a user who was let wait', async () => {
    await rig.register('gil', 'gil-phone')
    answer = present('gil')
    const before = rig.fcm.accepted.length
    await rig.api('publish_or_push', { ...request('acked-while-held', 'gil'), delay_ms: 600 })
    await rig.rpc('gil', 'push:ack', { uids: ['acked-while-held'] })
    const ended = () => rig.database.sql`select state from push_sends where uid = 'acked-while-held'`
    await expect.poll(ended, { timeout: 10_000 }).toEqual([{ state: 3 }])
    expect(rig.targetsSince(before)).toEqual([])
  })

  const unknown: [string, Answer][] = [
    ['the channel has no presence', () => ({ replies: [{ error: { code: 108, message: 'not available' } }] })],
    ['the channel has too many clients', present('a', 'b', 'c', 'd')],
    ['the node answers something else', () => ({ replies: [{}] })],
  ]
  test.each(unknown)('lets everyone wait when %s', async (name, presence) => {
    answer = (commands) => (commands[0]?.publish ? publishAll(commands) : presence(commands))
    await rig.api('publish_or_push', request(name, 'nobody'))
    expect(await scheduled(name)).toBeGreaterThan(50)
  })
})

describe('a request is refused, and nothing is stored or published, when', () => {
  const valid = { publish: PUBLISH, push: push('refused-request', 'nobody') }
  test.each<[string, object]>([
    ['nothing is published', { push: valid.push }],
    ['it has both publications', { ...valid, broadcast: { channels: ['a'], data: {} } }],
    ['the channel is missing', { ...valid, publish: { data: {} } }],
    ['the publication does not decode', { ...valid, publish: { channel: 1 } }],
    ['the channels are missing', { push: valid.push, broadcast: { data: {} } }],
    ['there is no push', { publish: PUBLISH }],
    ['the push has a time of its own', { ...valid, push: { ...valid.push, send_at: 2_000_000_000 } }],
    [
      'the push has raw tokens, which no user acknowledges',
      { ...valid, push: { ...valid.push, recipient: { fcm_tokens: ['t'] } } },
    ],
    ['the delay is negative', { ...valid, delay_ms: -1 }],
    ['the delay is longer than a day', { ...valid, delay_ms: 86_400_001 }],
    ['the scope is unknown', { ...valid, ack_scope: 'send' }],
    ['the kind is unknown', { ...valid, ack_kind: 'guessed' }],
    ['the presence is unknown', { ...valid, presence: 'suppress' }],
    ['it has too many authors', { ...valid, except_users: Array.from({ length: 101 }, (_, at) => `u${at}`) }],
  ])('%s', async (_, request) => {
    expect(await rig.api('publish_or_push', request)).toEqual({ error: { code: 107, message: 'bad request' } })
    expect(received).toEqual([])
    expect(await rig.database.sql`select from push_sends where uid = 'refused-request'`).toEqual([])
  })
})

test('ack_scope device stops only the device that acknowledges, and ack_kind received counts both', async () => {
  const ids = [await rig.register('ivy', 'ivy-phone'), await rig.register('ivy', 'ivy-tablet')]
  const before = rig.fcm.accepted.length
  const request = {
    publish: PUBLISH,
    push: push('each-device', 'ivy'),
    delay_ms: 600,
    ack_scope: 'device',
    ack_kind: 'received',
  }
  await rig.api('publish_or_push', request)
  // Without a device the ack does not say which one.
  await rig.rpc('ivy', 'push:ack', { uids: ['each-device'] })
  await rig.rpc('ivy', 'push:ack', { uids: ['each-device'], kind: 'received', device_id: ids[1] })
  expect(await waitForTargets(1, before)).toEqual(['ivy-phone'])
})
