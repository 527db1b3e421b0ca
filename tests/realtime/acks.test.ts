// An ack stops the pushes to its user, whether it arrives before its send, before its time, or during it.
import { describe, expect, test } from 'vitest'
import { pause } from '../../src/timing/pause.ts'
import { RealtimeRig } from './realtime-rig.ts'

const rig = new RealtimeRig(() => ({ client_push: { user_limit: 100_000 } }))

const DONE = { result: { data: {} } }
const NOTIFICATION = { fcm: { message: {} } }

/** Sends to users, at once or at the next full second. */
async function send(uid: string, users: string[], inMs = 0): Promise<void> {
  const request = { uid, recipient: { filter: { users } }, notification: NOTIFICATION }
  const sendAt = inMs === 0 ? {} : { send_at: Math.ceil((Date.now() + inMs) / 1000) }
  expect(await rig.api('send_push_notification', { ...request, ...sendAt })).toEqual({ result: { uid } })
}

/** The targets since `before`, when the push of a later send has arrived after `count` others. */
async function waitForTargets(count: number, before: number): Promise<string[]> {
  await rig.fcm.waitForAccepted(before + count)
  await rig.api('send_push_notification', { recipient: { fcm_tokens: ['sentinel'] }, notification: NOTIFICATION })
  await rig.fcm.waitForAccepted(before + count + 1)
  return rig.targetsSince(before).filter((target) => target !== 'sentinel')
}

describe('an ack', () => {
  test('stops the pushes to all devices of its user, and no others, also when it is repeated', async () => {
    for (const token of ['ann-phone', 'ann-tablet']) await rig.register('ann', token)
    await rig.register('bob', 'bob-phone')
    const before = rig.fcm.accepted.length
    await send('seen-by-ann', ['ann', 'bob'], 1)
    for (let times = 0; times < 3; times++) {
      expect(await rig.rpc('ann', 'push:ack', { uids: ['seen-by-ann', 'other'] })).toEqual(DONE)
    }
    expect(await waitForTargets(1, before)).toEqual(['bob-phone'])
  })

  test('that overtakes its send stops it', async () => {
    for (const user of ['cat', 'dan']) await rig.register(user, `${user}-phone`)
    const before = rig.fcm.accepted.length
    await rig.rpc('cat', 'push:ack', { uids: ['overtaken'] })
    await send('overtaken', ['cat', 'dan'])
    expect(await waitForTargets(1, before)).toEqual(['dan-phone'])
  })

  test('that names the uid of a send to others stops nothing', async () => {
    await rig.register('eve', 'eve-phone')
    const before = rig.fcm.accepted.length
    await rig.rpc('mallory', 'push:ack', { uids: ['for-eve'] })
    await send('for-eve', ['eve'], 1)
    await rig.rpc('mallory', 'push:ack', { uids: ['for-eve'], kind: 'seen' })
    expect(await waitForTargets(1, before)).toEqual(['eve-phone'])
  })

  test('of the kind received does not stop a send that waits for seen', async () => {
    await rig.register('fay', 'fay-phone')
    const before = rig.fcm.accepted.length
    await send('only-received', ['fay'], 1)
    await rig.rpc('fay', 'push:ack', { uids: ['only-received'], kind: 'received' })
    expect(await waitForTargets(1, before)).toEqual(['fay-phone'])
  })

  test('of a server is ack_push, for several sends of a user', async () => {
    for (const user of ['gus', 'hal']) await rig.register(user, `${user}-phone`)
    const before = rig.fcm.accepted.length
    await send('first', ['gus', 'hal'], 1)
    await send('second', ['gus'], 1)
    expect(await rig.api('ack_push', { user: 'gus', uids: ['first', 'second'] })).toEqual({ result: {} })
    expect(await waitForTargets(1, before)).toEqual(['hal-phone'])
  })

  test.each([
    ['no user', { uids: ['m'] }],
    ['no uids', { user: 'u' }],
    ['an unknown kind', { user: 'u', uids: ['m'], kind: 'x' }],
    ['an invalid device id', { user: 'u', uids: ['m'], device_id: 'x' }],
  ])('of a server with %s is a bad request', async (_, body) => {
    expect(await rig.api('ack_push', body)).toEqual({ error: { code: 107, message: 'bad request' } })
  })

  test('can be a command of a batch, and has no number in the legacy API', async () => {
    const batch = { commands: [{ ack_push: { user: 'u', uids: ['m'] } }, { ack_push: {} }] }
    expect(await rig.api('batch', batch)).toEqual({
      replies: [{ ack_push: {} }, { error: { code: 107, message: 'bad request' } }],
    })
    const legacy = { id: 1, method: 'ack_push', params: { user: 'u', uids: ['m'] } }
    const answer = await fetch(`${rig.url}/api`, {
      method: 'POST',
      headers: { 'x-api-key': 'test-key' },
      body: JSON.stringify(legacy),
    })
    expect(await answer.json()).toEqual({ id: 1, result: {} })
  })
})

/** How many sends have their ack before, and how many after their time. */
const RACES = Number(process.env.ACK_RACES ?? 200)
const BEFORE_MS = 50
const HOUR_MS = 3_600_000
const NEVER = new AbortController().signal

test(`${RACES} acks 50 ms before the time of their send and as many 50 ms after it: none rings twice`, async () => {
  await rig.api('batch', {
    commands: Array.from({ length: RACES * 3 }, (_, at) => ({
      device_register: { provider: 'fcm', platform: 'android', user: `racer-${at}`, token: `racer-${at}` },
    })),
  })
  const before = rig.fcm.accepted.length
  await Promise.all(Array.from({ length: RACES * 3 }, (_, at) => send(`race-${at}`, [`racer-${at}`], HOUR_MS)))
  // All sends are due at the same moment, which is the worst case for the acks.
  const [row] = await rig.database.sql`
    with due as (
      update push_sends set claimable_at = date_trunc('milliseconds', statement_timestamp() + interval '1 s')
      where uid like 'race-%' returning claimable_at
    )
    select (extract(epoch from max(claimable_at)) * 1000)::float8 as at_ms from due`
  const dueAtMs = Number(row?.at_ms)
  /** Acknowledges a third of the sends. @returns when each ack was answered, in Unix ms, by the token of its device */
  const ackFrom = async (from: number) => {
    const answered = new Map<string, number>()
    const ack = async (racer: number) => {
      expect(await rig.rpc(`racer-${racer}`, 'push:ack', { uids: [`race-${racer}`] })).toEqual(DONE)
      answered.set(`racer-${racer}`, Date.now())
    }
    await Promise.all(Array.from({ length: RACES }, (_, at) => ack(from + at)))
    return answered
  }
  await pause(dueAtMs - BEFORE_MS - Date.now(), NEVER)
  const early = ackFrom(0)
  await pause(dueAtMs + BEFORE_MS - Date.now(), NEVER)
  const late = ackFrom(RACES)
  const answered = new Map([...(await early), ...(await late)])
  // Nobody acknowledges the sends of the last third.
  await expect.poll(() => new Set(rig.targetsSince(before)).size, { timeout: 60_000 }).toBeGreaterThanOrEqual(RACES)
  await expect
    .poll(() => rig.targetsSince(before).filter((target) => isIn(target, RACES * 2)).length, { timeout: 60_000 })
    .toBe(RACES)
  await expect
    .poll(() => rig.database.sql`select count(*)::int as open from push_batches`, { timeout: 60_000 })
    .toEqual([{ open: 0 }])
  const targets = rig.targetsSince(before)
  expect(new Set(targets).size).toBe(targets.length)
  const inTime = [...answered].filter(([, atMs]) => atMs < dueAtMs).map(([token]) => token)
  expect(targets.filter((target) => inTime.includes(target))).toEqual([])
  const counts = [0, RACES, RACES * 2].map((from) => targets.filter((target) => isIn(target, from)).length)
  console.log(
    `pushes: ack before ${counts[0]}, ack after ${counts[1]}, no ack ${counts[2]} of ${RACES} each; ` +
      `${inTime.length} acks were answered before the time of their send`,
  )
})

function isIn(target: string, from: number): boolean {
  const at = Number(target.replace('racer-', ''))
  return at >= from && at < from + RACES
}
