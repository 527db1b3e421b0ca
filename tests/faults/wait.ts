import { setTimeout as delay } from 'node:timers/promises'

/** How often something is looked at that nothing tells of. */
const POLL_MS = 50
/** Longer than anything here takes on a slow machine. What is later is never. */
const LIMIT_MS = 180_000

/** Asks until the answer is yes; a question that fails (the store is away) is asked again. Rejects when it never is. */
export async function waitUntil(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + LIMIT_MS
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain for ${what}`)
    await delay(POLL_MS)
  }
}

/** The same for a promise. */
export async function waitFor<T>(what: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), LIMIT_MS)
    timer.unref()
  })
  return Promise.race([answer, limit]).finally(() => clearTimeout(timer))
}
