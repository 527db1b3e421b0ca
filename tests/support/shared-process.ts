// Test files share processes, so that each process loads the sources once. A file leaves its process as it found it:
// its stubs end with it, and it fails when it leaves a changed environment, directory or set of listeners.
import { afterAll, expect, vi } from 'vitest'

const environment = { ...process.env }
const directory = process.cwd()
const listeners = countListeners()

// The hooks of the file run before this one, because they are registered after it.
afterAll(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
  const names = [...Object.keys(environment), ...Object.keys(process.env)]
  expect(names.filter((name) => process.env[name] !== environment[name])).toEqual([])
  expect(process.cwd()).toBe(directory)
  expect(countListeners()).toEqual(listeners)
})

/** Without those of the end of the process: simulators and libraries remove their files there, from the first use on. */
function countListeners(): Record<string, number> {
  const events = process.eventNames().filter((event) => event !== 'exit')
  return Object.fromEntries(events.map((event) => [String(event), process.listenerCount(event)]))
}
