// Acknowledgements before the send: the parts that several mistakes share.
import type { BatchClaim, ClaimKey } from '../../src/queue/batch.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { StoredSend } from '../../src/queue/send.ts'

/** Keeps ended sends in the memory of a process. */
export interface SendKeeper {
  /** Keeps a send that has not ended. */
  keep(own: Queue, uid: string): Promise<void>
  /** Loads kept sends from memory. */
  alterations: { loadSend(own: Queue): Queue['loadSend'] }
}

/** Keeps ended sends, so that only the mistake itself shows, and not its consequences in the store. */
export function makeSendKeeper(): SendKeeper {
  const sends = new Map<string, StoredSend>()
  return {
    async keep(own, uid) {
      const send = await own.loadSend(uid)
      if (send?.content) sends.set(uid, send)
    },
    alterations: { loadSend: (own) => async (uid) => sends.get(uid) ?? own.loadSend(uid) },
  }
}

/** Alterations of a queue whose claims are acknowledged when the worker gets them. */
export const ACKNOWLEDGED_ALREADY = {
  acknowledge: () => async () => 'acknowledged' as const,
  confirm: () => async (claims: readonly ClaimKey[]) => claims.map(() => 'valid' as const),
  checkpoint: () => async () => undefined,
}

/** Acknowledges claims whose targets are not sent. */
export async function acknowledgeUnsent(
  own: Queue,
  claims: readonly BatchClaim[],
  keep: SendKeeper['keep'],
): Promise<void> {
  for (const claim of claims) {
    await keep(own, claim.uid)
    await own.acknowledge(claim, { retries: [], givenUp: [] })
  }
}
