import type { Outcome, Provider } from '../../src/providers/provider.ts'
import { measureRate, type Rate } from './load.ts'

/** The limit of firebase-admin's `sendEach`, and the size of a batch. */
const BATCH = 500
/** Concurrent calls. */
const CALLS = 4

/** Calls `send` with the tokens of each batch, a few calls at a time. */
export async function sendInBatches(
  count: number,
  tokenOf: (index: number) => string,
  send: (tokens: string[]) => Promise<void>,
): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < count) {
      const first = next
      next += BATCH
      await send(Array.from({ length: Math.min(BATCH, count - first) }, (_, index) => tokenOf(first + index)))
    }
  }
  await Promise.all(Array.from({ length: CALLS }, work))
}

/** The rate of a provider of the project. @throws Error when a push was not accepted */
export async function runProvider(
  provider: Provider,
  json: string,
  pushes: number,
  tokenOf: (index: number) => string,
): Promise<Rate> {
  const notification = { json: Buffer.from(json), headers: new Map<string, string>() }
  const { signal } = new AbortController()
  const send = async (targets: string[]) => {
    let sent = 0
    const settle = (_: number, { kind }: Outcome) => {
      if (kind === 'sent') sent++
    }
    await provider.send({ uid: 'bench', notification, targetKind: 'token', targets }, settle, signal)
    if (sent !== targets.length) throw new Error(`centripush: ${targets.length - sent} pushes were not accepted`)
  }
  // The first batches open connections and get a credential.
  await sendInBatches(pushes / 10, tokenOf, send)
  return await measureRate(pushes, () => sendInBatches(pushes, tokenOf, send))
}
