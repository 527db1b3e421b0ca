/**
 * Handles the rejection of a write: resolves to `reply` when Redis refused the write because it is at `maxmemory`, in
 * which case nothing was written. Throws any other error.
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
