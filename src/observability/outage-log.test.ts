import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Logger, makeLogger } from './log.ts'
import { OutageLog } from './outage-log.ts'

const FULL = { cause: 'the disk is full', mend: 'free space' }
const DOWN = { cause: 'connections are refused', mend: 'start it' }

let lines: string[]
let log: OutageLog

beforeEach(() => {
  vi.useFakeTimers()
  lines = []
  const logger = makeLogger({ level: 'none', file: '' })
  const record = (level: string) => (fields: { cause?: string; seconds?: number }, message?: string) => {
    lines.push([level, message, fields.cause, fields.seconds].filter((part) => part !== undefined).join(' '))
  }
  const recorded: Partial<Record<keyof Logger, unknown>> = { error: record('error'), info: record('info'), debug() {} }
  log = new OutageLog({ logger: Object.assign(logger, recorded), kind: 'store', name: 'queue', now: Date.now })
})

afterEach(() => vi.useRealTimers())

/** A failure each second. */
function failFor(seconds: number, outage = DOWN): void {
  for (let second = 0; second < seconds; second++) {
    log.onFailure(outage)
    vi.advanceTimersByTime(1000)
  }
}

it('logs the begin, one line a minute, and the end', () => {
  failFor(150)
  log.onWell()
  vi.advanceTimersByTime(60_000)
  expect(lines).toEqual([
    'error store: outage began connections are refused',
    'error store: outage continues connections are refused 60',
    'error store: outage continues connections are refused 120',
    'info store: outage ended 150',
  ])
})

it('logs a store that works now and then as one outage', () => {
  for (let turn = 0; turn < 10; turn++) {
    failFor(1)
    log.onWell()
    vi.advanceTimersByTime(9000)
  }
  expect(lines).toEqual([
    'error store: outage began connections are refused',
    'error store: outage continues connections are refused 60',
  ])
})

it('logs the cause of the moment', () => {
  failFor(60)
  failFor(1, FULL)
  expect(lines.at(-1)).toBe('error store: outage continues the disk is full 60')
})

it('logs the next outage at its begin', () => {
  failFor(1)
  log.onWell()
  vi.advanceTimersByTime(10_000)
  failFor(1, FULL)
  expect(lines).toEqual([
    'error store: outage began connections are refused',
    'info store: outage ended 1',
    'error store: outage began the disk is full',
  ])
})

it('logs nothing while there is no outage', () => {
  log.onWell()
  vi.advanceTimersByTime(60_000)
  expect(lines).toEqual([])
})
