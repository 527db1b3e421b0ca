/** What a stopped server may still have open, a connection to a database that is away for example, is given this long. */
const EXIT_GRACE_MS = 1000

/** Ends the process with its exit code when it does not end by itself. For servers, which have said all they had to say. */
export function exitSoon(): void {
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref()
}
