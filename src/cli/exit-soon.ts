/**
 * The time for handles that a stopped server may still have open, a connection to an unreachable database for example.
 */
const EXIT_GRACE_MS = 1000

/**
 * Ends the process with its exit code when it does not end by itself. For servers, whose output is complete by then.
 */
export function exitSoon(): void {
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref()
}
