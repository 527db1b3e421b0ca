const MINUTE_MS = 60_000

/** Makes a log function that writes at most one line a minute: others can cause the event as often as they like. */
export function onceAMinute<Args extends unknown[]>(log: (...args: Args) => void): (...args: Args) => void {
  let nextAtMs = 0
  return (...args) => {
    const nowMs = performance.now()
    if (nowMs < nextAtMs) return
    nextAtMs = nowMs + MINUTE_MS
    log(...args)
  }
}
