import type { Send } from '../queue/queue.ts'

/** Sends kept at a time. A worker works on few at once; each can hold 100,000 raw tokens. */
const MAX_SENDS = 16

/** Loads each send once for its many batches; concurrent asks share one load. */
export function makeSendCache(load: (uid: string) => Promise<Send | undefined>) {
  const sends = new Map<string, Promise<Send | undefined>>()
  return (uid: string): Promise<Send | undefined> => {
    const send = sends.get(uid) ?? load(uid)
    // Put at the end: the first of the map is the one not asked for longest.
    sends.delete(uid)
    sends.set(uid, send)
    for (const oldest of sends.keys()) {
      if (sends.size <= MAX_SENDS) break
      sends.delete(oldest)
    }
    // A failed load is not remembered. The caller gets the rejection through `send` itself.
    send.catch(() => sends.delete(uid))
    return send
  }
}
