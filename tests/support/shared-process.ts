// Test files share processes, so that each process loads the sources once. A file leaves its process as it found it:
// its stubs and spies end with it, and it fails when it leaves a changed environment, directory or set of listeners.
import { afterAll, expect, vi } from 'vitest'

/** The events that tests listen for. Libraries and Node add listeners of other events at the first use, for good. */
const EVENTS = ['warning', 'uncaughtException', 'unhandledRejection', 'SIGHUP', 'SIGINT', 'SIGTERM']

const environment = { ...process.env }
const directory = process.cwd()
const listeners = countListeners()

// The hooks of the file run before this one, because they are registered after it.
afterAll(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
  const names = [...Object.keys(environment), ...Object.keys(process.env)]
  expect(names.filter((name) => process.env[name] !== environment[name])).toEqual([])
  expect(process.cwd()).toBe(directory)
  expect(countListeners()).toEqual(listeners)
})

function countListeners(): Record<string, number> {
  return Object.fromEntries(EVENTS.map((event) => [event, process.listenerCount(event)]))
}
