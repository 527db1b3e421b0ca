import type { SendContent } from '../queue/queue.ts'

/** Sends kept at a time. A worker works on few at once. */
const MAX_SENDS = 16

/** Kept no longer than this: after its 24 hours a uid may stand for another send. */
const MAX_AGE_MS = 60_000

/** Loads the content of each send once for its many batches; concurrent asks share one load. */
export function makeContentCache(load: (uid: string) => Promise<SendContent | undefined>, now: () => number) {
  const sends = new Map<string, { send: Promise<SendContent | undefined>; untilMs: number }>()
  return (uid: string): Promise<SendContent | undefined> => {
    const known = sends.get(uid)
    const entry = known && now() < known.untilMs ? known : { send: load(uid), untilMs: now() + MAX_AGE_MS }
    const { send } = entry
    // Put at the end: the first of the map is the one not asked for longest.
    sends.delete(uid)
    sends.set(uid, entry)
    for (const oldest of sends.keys()) {
      if (sends.size <= MAX_SENDS) break
      sends.delete(oldest)
    }
    // A failed load is not remembered. The caller gets the rejection through `send` itself.
    send.catch(() => sends.delete(uid))
    return send
  }
}
