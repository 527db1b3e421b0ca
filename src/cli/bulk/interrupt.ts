/** A signal that Ctrl-C and SIGTERM abort, so that a long command ends between two batches; a second one exits at once. */
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
