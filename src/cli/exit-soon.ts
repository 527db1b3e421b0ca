/**
 * How long to wait for handles that a stopped server still has open, in ms: a connection to an unreachable database,
 * for example.
 */
const EXIT_GRACE_MS = 1000

/**
 * Ends a server's process with its exit code if it does not end by itself. Call it when the output of the server is
 * complete.
 */
export function exitSoon(): void {
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref()
}
