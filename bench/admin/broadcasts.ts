// Broadcasts to all devices, one after another, while something else is measured.
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { TOPICS } from '../devices/device-data.ts'

const POLL_MS = 250

const Info = v.object({ result: v.object({ state: v.string(), sent: v.optional(v.number(), 0) }) })

/** Running broadcasts. */
export interface Broadcasts {
  /** The pushes that were sent so far, of all broadcasts. */
  countSent(): Promise<number>
  /** Cancels the running broadcast and resolves when no other begins. */
  stop(): Promise<void>
}

/** The uid of a broadcast of this run. */
export function nameBroadcast(run: number, number: number): string {
  return `broadcast-${run}-${number}`
}

/** Starts broadcasts at the server with this URL. Resolves when the first one sends. @param run a number of its own */
export async function startBroadcasts(url: string, run: number): Promise<Broadcasts> {
  const call = async (method: string, body: object) => {
    const answer = await fetch(`${url}/api/${method}`, { method: 'POST', body: JSON.stringify(body) })
    return await answer.json()
  }
  let number = 0
  let sentBefore = 0
  let isStopping = false
  const begin = () =>
    call('send_push_notification', {
      uid: nameBroadcast(run, number),
      recipient: { filter: { topics: [TOPICS.all] } },
      notification: { fcm: { message: { notification: { title: 'Bench' } } }, apns: { payload: { aps: {} } } },
    })
  const readInfo = async () => v.parse(Info, await call('push_info', { uid: nameBroadcast(run, number) })).result
  const next = async () => {
    const { state, sent } = await readInfo()
    if (state !== 'ended') return
    sentBefore += sent
    number++
    await begin()
  }
  await begin()
  const repeat = async () => {
    while (!isStopping) {
      await next()
      await delay(POLL_MS)
    }
  }
  const repeating = repeat()
  while ((await readInfo()).sent === 0) await delay(POLL_MS)
  return {
    countSent: async () => sentBefore + (await readInfo()).sent,
    async stop() {
      isStopping = true
      await repeating
      await call('cancel_push', { uid: nameBroadcast(run, number) })
    },
  }
}
