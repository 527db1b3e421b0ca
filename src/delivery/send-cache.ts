import type { StoredSend } from '../queue/send.ts'

/** The most sends in the cache. A worker delivers few at the same time. */
const MAX_SENDS = 16

/** In ms. Not longer, because after its 24 hours a uid may belong to another send. */
const MAX_AGE_MS = 60_000

/**
 * Loads each send once for its many batches; concurrent calls share one load. The function that it returns loads a send
 * again if `isComplete` refuses the cached one. @param now Unix time in ms
 */
export function makeSendCache(load: (uid: string) => Promise<StoredSend | undefined>, now: () => number) {
  const sends = new Map<string, { send: Promise<StoredSend | undefined>; untilMs: number }>()
  const keep = (uid: string, entry: { send: Promise<StoredSend | undefined>; untilMs: number }) => {
    // Moved to the end: the first of the map is the least recently used.
    sends.delete(uid)
    sends.set(uid, entry)
    for (const oldest of sends.keys()) {
      if (sends.size <= MAX_SENDS) break
      sends.delete(oldest)
    }
    return entry.send
  }
  const loadAgain = (uid: string) => {
    const entry = { send: load(uid), untilMs: now() + MAX_AGE_MS }
    const forget = () => {
      if (sends.get(uid) === entry) sends.delete(uid)
    }
    // Neither a failed load nor a missing send is kept: a send that Redis lost is stored again by the process that
    // accepted it. The caller gets a rejection through `send` itself.
    entry.send.then((send) => send ?? forget(), forget)
    return keep(uid, entry)
  }
  return async (
    uid: string,
    isComplete: (send: StoredSend) => boolean = () => true,
  ): Promise<StoredSend | undefined> => {
    const known = sends.get(uid)
    if (!known || now() >= known.untilMs) return await loadAgain(uid)
    const send = await keep(uid, known)
    return send && !isComplete(send) ? await loadAgain(uid) : send
  }
}
