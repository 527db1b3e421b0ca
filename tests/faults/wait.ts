import { setTimeout as delay } from 'node:timers/promises'

/** Pause between two checks of a condition that has no event. */
const POLL_MS = 50
/** Longer than any step of a case takes on a slow machine. */
const LIMIT_MS = 180_000

/** Resolves when `isSo` is true. A rejected check (the store is down) is repeated. Rejects after the limit. */
export async function waitUntil(event: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + LIMIT_MS
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > deadlineMs) throw new Error(`no ${event} within ${LIMIT_MS / 1000} s`)
    await delay(POLL_MS)
  }
}

/** Resolves as `answer` does. Rejects after the limit. */
export async function waitFor<T>(event: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${event} within ${LIMIT_MS / 1000} s`)), LIMIT_MS)
    timer.unref()
  })
  return Promise.race([answer, limit]).finally(() => clearTimeout(timer))
}
