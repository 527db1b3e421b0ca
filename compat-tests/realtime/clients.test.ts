// Unmodified clients of a node that acknowledge, register and get errors through its RPC proxy, and publications that
// become pushes unless they do.
import { join } from 'node:path'
import { Centrifuge } from 'centrifuge'
import { WebSocket } from 'undici'
import * as v from 'valibot'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { PROXY_KEY, RealtimeRig } from '../../tests/realtime/realtime-rig.ts'
import { findFreePort } from '../../tests/support/centripush-process.ts'
import { makePythonEnvironment } from '../sdk/python-environment.ts'
import { prepareToolchain, runProgram, toolsOf } from '../sdk/toolchain.ts'
import { makeToken, NODE_KEY, prepareTestNode, type TestNode } from './test-node.ts'

const toolchain = await prepareTestNode()
const PYTHON = join(import.meta.dirname, 'python')
const python = await prepareToolchain('centrifuge-python', () =>
  makePythonEnvironment(join(PYTHON, 'requirements.txt'), 'centrifuge'),
)

type Call = [method: string, data: unknown]

describe.skipIf(toolchain.missing)('through a node', () => {
  let node: TestNode
  const clients: Centrifuge[] = []
  const rig = new RealtimeRig(async () => {
    // Node and centripush each need the address of the other.
    const port = await findFreePort()
    const proxy = {
      endpoint: `http://127.0.0.1:${port}/proxy/rpc`,
      static_headers: { 'X-Centripush-Proxy-Key': PROXY_KEY },
    }
    node = await toolsOf(toolchain)({ push: proxy, open: { ...proxy, http_headers: ['X-Centripush-Proxy-Key'] } })
    return {
      http_server: { port },
      upstream: { address: node.address, api_key: NODE_KEY },
      client_push: { user_limit: 1000 },
    }
  })
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect()
  })
  afterAll(() => node.stop())

  const endpoint = () => `${node.address.replace('http', 'ws')}/connection/websocket`

  async function connect(user: string, headers: Record<string, string> = {}): Promise<Centrifuge> {
    const client = new Centrifuge(endpoint(), {
      // The library of browsers has no headers, so an attacker has another one.
      websocket: class extends WebSocket {
        constructor(address: string) {
          super(address, { headers })
        }
      },
      ...(user !== '' && { token: await makeToken(user) }),
    })
    clients.push(client)
    client.connect()
    await client.ready()
    return client
  }

  const runJs = async (user: string, calls: Call[]) => {
    const client = await connect(user)
    const outcomes: unknown[] = []
    for (const [method, data] of calls) {
      outcomes.push(
        await client.rpc(method, data).then(
          ({ data }) => ({ data }),
          (error: unknown) => ({ error }),
        ),
      )
    }
    return outcomes
  }

  const runPython = async (user: string, calls: Call[]): Promise<unknown> => {
    const args = [join(PYTHON, 'client.py'), endpoint(), user && (await makeToken(user)), JSON.stringify(calls)]
    return JSON.parse(await runProgram(toolsOf(python), args))
  }

  const libraries: [string, typeof runPython][] = [['centrifuge-js', runJs]]
  if (!python.missing) libraries.push(['centrifuge-python', runPython])

  test.each(libraries)('%s acknowledges, registers and gets errors', async (name, run) => {
    const user = `user of ${name}`
    const phone = { provider: 'fcm', platform: 'android', token: `phone-of-${name}` }
    const calls: Call[] = [
      ['push:ack', { uids: ['m1', 'm2'] }],
      ['push:device_register', phone],
      ['push:ack', { uids: [] }],
      ['push:device_register', { ...phone, topics: ['billing'] }],
      ['push:nothing', {}],
      ...Array.from({ length: 4 }, (): Call => ['push:ack', { uids: Array.from({ length: 500 }, (_, at) => `${at}`) }]),
    ]
    const outcomes = v.parse(v.array(v.unknown()), await run(user, calls))
    const error = (code: number, message: string, temporary = false) => ({ error: { code, message, temporary } })
    // Between them are acks that are allowed.
    expect([...outcomes.slice(0, 5), outcomes.at(-1)]).toEqual([
      { data: {} },
      { data: { id: expect.stringMatching(/-fcm$/) } },
      error(107, 'bad request'),
      error(103, 'permission denied'),
      error(104, 'not found'),
      // Two thousand uids are more than a minute's allowance.
      error(111, 'too many requests', true),
    ])
    expect(await rig.api('device_list', { filter: { users: [user] } })).toMatchObject({
      result: { items: [{ token: phone.token, user }] },
    })
    expect(await run('', [['push:ack', { uids: ['m1'] }]])).toEqual([error(103, 'permission denied')])
  })

  test('a client that sends the header of the proxy is refused, and can’t learn the key', async () => {
    const client = await connect('mallory', { 'X-Centripush-Proxy-Key': 'guess' })
    await expect(client.rpc('open:ack', { uids: ['m1'] })).rejects.toMatchObject({ code: 101 })
    // Without the mistake in the node's configuration the client's header does not matter.
    await expect(client.rpc('push:ack', { uids: ['m1'] })).resolves.toEqual({ data: {} })
  })

  describe('publish_or_push', () => {
    const publish = (uid: string, more: object = {}) =>
      rig.api('publish_or_push', {
        publish: { channel: 'chat', data: { text: uid } },
        push: { uid, recipient: { filter: { users: ['ann', 'bob'] } }, notification: { fcm: { message: {} } } },
        delay_ms: 1000,
        ...more,
      })

    beforeAll(async () => {
      for (const user of ['ann', 'bob']) await rig.register(user, `${user}-phone`)
    })

    /** Subscribes a client that acknowledges each publication, and collects those that it receives. */
    async function subscribe(user: string, acknowledges: boolean): Promise<unknown[]> {
      const client = await connect(user)
      const received: unknown[] = []
      const subscription = client.newSubscription('chat')
      subscription.on('publication', ({ data, tags }) => {
        received.push(data)
        if (acknowledges) void client.rpc('push:ack', { uids: [tags?.push_uid] })
      })
      subscription.subscribe()
      await subscription.ready()
      return received
    }

    test('reaches subscribers with the uid, and pushes only to those who do not acknowledge', async () => {
      const [seen] = await Promise.all([subscribe('ann', true), subscribe('bob', false)])
      const before = rig.fcm.accepted.length
      expect(await publish('m1')).toMatchObject({ result: { uid: 'm1', offset: expect.any(Number) } })
      await rig.fcm.waitForAccepted(before + 1)
      expect([seen, rig.targetsSince(before)]).toEqual([[{ text: 'm1' }], ['bob-phone']])
    })

    test('publishes and pushes once when it is repeated', async () => {
      const seen = await subscribe('cat', false)
      const before = rig.fcm.accepted.length
      const answers = [await publish('m2'), await publish('m2'), await publish('m2')]
      expect(answers).toEqual(answers.map(() => answers[0]))
      await rig.fcm.waitForAccepted(before + 2)
      await publish('m3', { delay_ms: 0 })
      await rig.fcm.waitForAccepted(before + 4)
      expect(seen).toEqual([{ text: 'm2' }, { text: 'm3' }])
      expect(rig.targetsSince(before)).toEqual(['ann-phone', 'ann-phone', 'bob-phone', 'bob-phone'])
    })

    test('with presence "shorten" pushes at once to those who have no client in the channel', async () => {
      await rig.register('dan', 'dan-phone')
      await subscribe('dan', false)
      const before = rig.fcm.accepted.length
      const recipient = { filter: { users: ['ann', 'dan'] } }
      const push = { uid: 'm4', recipient, notification: { fcm: { message: {} } } }
      await publish('m4', { push, delay_ms: 60_000, presence: 'shorten' })
      await rig.fcm.waitForAccepted(before + 1)
      expect(rig.targetsSince(before)).toEqual(['ann-phone'])
    })
  })
})
