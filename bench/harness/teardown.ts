// What a benchmark has started ends with it, also after Ctrl-C and when its time is over.

const teardowns: (() => Promise<unknown>)[] = []
/** How long ending everything may take. */
const END_TIMEOUT_MS = 30_000

/** Runs `work` on what was started, and ends that afterwards; a benchmark that is interrupted ends it too. */
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

/** Ends everything and the process after `timeoutMs`, and at SIGINT or SIGTERM, what was started last first. */
export function limitTime(timeoutMs: number): void {
  const timer = setTimeout(() => void end(`not done after ${timeoutMs / 1000} s`), timeoutMs).unref()
  let isEnding = false
  const end = async (why: string) => {
    if (isEnding) return
    isEnding = true
    clearTimeout(timer)
    console.error(`bench: ${why}`)
    // What is still at work finds its servers gone.
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) process.on(event, () => undefined)
    setTimeout(() => process.exit(1), END_TIMEOUT_MS).unref()
    // One that fails must not keep the others running.
    for (const stop of teardowns.reverse()) await stop().catch(() => undefined)
    process.exit(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(signal))
}
