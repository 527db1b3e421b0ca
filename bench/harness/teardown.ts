// Ends the servers of a benchmark with it, also after Ctrl-C and when its time is over.

const teardowns: (() => Promise<unknown>)[] = []
/** The time limit for ending all servers. */
const END_TIMEOUT_MS = 30_000

/** Runs `work` with a started resource and stops the resource afterwards, also when the benchmark is interrupted. */
export async function using<R extends { stop(): Promise<unknown> }, T>(
  start: Promise<R>,
  work: (resource: R) => Promise<T>,
): Promise<T> {
  const resource = await start
  const stop = () => resource.stop()
  teardowns.push(stop)
  try {
    return await work(resource)
  } finally {
    teardowns.splice(teardowns.indexOf(stop), 1)
    await stop()
  }
}

/** Stops all resources, the last one first, and the process after `timeoutMs` and at SIGINT or SIGTERM. */
export function limitTime(timeoutMs: number): void {
  const timer = setTimeout(() => void end(`not finished after ${timeoutMs / 1000} s`), timeoutMs).unref()
  let isEnding = false
  const end = async (why: string) => {
    if (isEnding) return
    isEnding = true
    clearTimeout(timer)
    console.error(`bench: ${why}`)
    // Running work fails when its servers end.
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) process.on(event, () => undefined)
    setTimeout(() => process.exit(1), END_TIMEOUT_MS).unref()
    // A failed stop must not keep the other resources running.
    for (const stop of teardowns.reverse()) await stop().catch(() => undefined)
    process.exit(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(signal))
}
