import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 100

/** Waits until a server is healthy, sends one push through it, and resolves when it is sent. */
export async function sendOne(url: string, key: string, timeoutMs: number, hasEnded: () => boolean): Promise<void> {
  const deadline = Date.now() + timeoutMs
  const until = async (what: string, check: () => Promise<boolean>) => {
    while (!(await check().catch(() => false))) {
      if (hasEnded() || Date.now() > deadline) throw new Error(`the server is not ${what}`)
      await delay(POLL_MS)
    }
  }
  await until('healthy', async () => (await fetch(`${url}/health`)).ok)
  const before = await countSent(url)
  const send = {
    recipient: { fcm_tokens: ['a-token'] },
    notification: { fcm: { message: { notification: { title: 'Hello' } } } },
  }
  const init = { method: 'POST', headers: { 'x-api-key': key }, body: JSON.stringify(send) }
  const answer = await (await fetch(`${url}/api/send_push_notification`, init)).text()
  if (!answer.startsWith('{"result":{"uid"')) throw new Error(`the server answers ${answer}`)
  await until('sending', async () => (await countSent(url)) > before)
}

async function countSent(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const counts = text.match(/^centrifugo_push_notification_count\{.*success="true".*\} (\d+)$/gm) ?? []
  return counts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}
