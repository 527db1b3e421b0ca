// Broadcasts to a topic of all devices, or of one of five.
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { TOPICS } from '../devices/device-data.ts'

const POLL_MS = 100

const Info = v.object({ result: v.object({ state: v.string(), sent: v.optional(v.number(), 0) }) })

/** Sends broadcasts. */
export interface Broadcasts {
  /** The uid of the first one. */
  firstUid: string
  /** Sends one to a fifth of the devices. Resolves to its pushes a second, from the API's answer to its end. */
  send(): Promise<number>
  /** Sends one after another to all devices while `work` runs, which begins when the first one sends. The last one is cancelled. */
  sendDuring(work: () => Promise<void>): Promise<void>
}

/** Makes broadcasts at the server with this URL. @param run a number of its own for this run */
export function makeBroadcasts(url: string, run: number): Broadcasts {
  let number = 0
  const call = async (method: string, body: object) => {
    const answer = await fetch(`${url}/api/${method}`, { method: 'POST', body: JSON.stringify(body) })
    return await answer.json()
  }
  const nameOf = (at: number) => `broadcast-${run}-${at}`
  const begin = async (topic: string) => {
    const uid = nameOf(number++)
    await call('send_push_notification', {
      uid,
      recipient: { filter: { topics: [topic] } },
      notification: { fcm: { message: { notification: { title: 'Bench' } } }, apns: { payload: { aps: {} } } },
    })
    return uid
  }
  const waitUntil = async (uid: string, isReached: (info: { state: string; sent: number }) => boolean) => {
    for (;;) {
      const { result } = v.parse(Info, await call('push_info', { uid }))
      if (isReached(result)) return result
      await delay(POLL_MS)
    }
  }
  return {
    firstUid: nameOf(0),
    async send() {
      const uid = await begin(TOPICS.fifth)
      const fromMs = performance.now()
      const { sent } = await waitUntil(uid, ({ state }) => state === 'ended')
      return (1000 * sent) / (performance.now() - fromMs)
    },
    async sendDuring(work) {
      let uid = await begin(TOPICS.all)
      let isOver = false
      const repeat = async () => {
        while (!isOver) {
          const { state } = await waitUntil(uid, (info) => isOver || info.state === 'ended')
          if (state === 'ended' && !isOver) uid = await begin(TOPICS.all)
        }
      }
      await waitUntil(uid, ({ sent }) => sent > 0)
      const repeating = repeat()
      try {
        await work()
      } finally {
        isOver = true
        await repeating
        await call('cancel_push', { uid })
      }
    },
  }
}
