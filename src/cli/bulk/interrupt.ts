/**
 * A signal that aborts at Ctrl-C or SIGTERM, so that a long command can end between two batches. A second Ctrl-C or
 * SIGTERM ends the process at once.
 */
export function listenForInterrupt(): { signal: AbortSignal; stop(): void } {
  const interrupt = new AbortController()
  const onSignal = () => {
    if (interrupt.signal.aborted) process.exit(1)
    interrupt.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return {
    signal: interrupt.signal,
    stop: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  }
}
