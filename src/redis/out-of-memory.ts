/**
 * Makes a handler for the rejection of a write: it resolves to `reply` if Redis refused the write because it is at
 * `maxmemory`, so that nothing was written. It throws any other error.
 */
export function replyWhenOutOfMemory(reply: string): (error: unknown) => Buffer {
  return (error) => {
    if (isOutOfMemory(error)) return Buffer.from(reply)
    throw error
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && /^(OOM|-OOM)|OOM command not allowed/.test(error.message)
}
