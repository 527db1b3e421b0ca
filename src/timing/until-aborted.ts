/**
 * Settles as `work` does, but rejects with the error of `makeError` as soon as `signal` aborts. The work itself
 * continues, because other callers may share it.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal, makeError: () => Error): Promise<T> {
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(makeError())
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
