import { randomUUID } from 'node:crypto'
import * as v from 'valibot'
import { TOKEN_MARK } from '../../support/run-log.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import { type OutageRecord, runOutage } from '../outage/run-outage.ts'

const TARGETS = 20_000
/** A request without an answer fails after this time, and only then the outage is noticed. */
const REQUEST_TIMEOUT_MS = 20_000
const DELIVERED_WITHIN_MS = 60_000
/** Targets that a worker process has in flight, at most. */
const MAX_IN_FLIGHT = 5000
/** Probes of a process: about a dozen until they are 25 s apart, on its two lanes. Then the pause and its jitter. */
const FIRST_PROBES = 12
const PROBE_PAUSE_MS = 20_000
/** The broken server reads requests that were sent before the outage was noticed until this time after it. */
const READ_LATE_MS = 1000
const REMINDER_MS = 60_000

const Line = v.object({ time: v.number() })

/** The provider does not work for ten minutes, in each of these ways. */
export const providerDown: readonly FaultCase[] = (
  ['refused', 'silence', 'garbage', 'html', 'unavailable', 'push-promise', 'informational', 'continuation'] as const
).map((breakage) => ({
  name: `provider-${breakage}`,
  promise:
    'a provider that does not work for ten minutes gets probes only, no push is given up, and all pushes are ' +
    'delivered within 60 s after its return',
  run: (rig, _random, note) => {
    const silentMs = breakage === 'silence' ? REQUEST_TIMEOUT_MS : 0
    const outageMs = rig.scale.outageMs + (rig.scale.name === 'full' ? 0 : silentMs)
    const tokens = Array.from({ length: TARGETS }, (_, index) => `${TOKEN_MARK}-${randomUUID()}-${index}`)
    return runOutage(rig, breakage, { tokens, outageMs }).then((record) =>
      judge(record, { tokens, outageMs, scale: rig.scale.retryScale }, note),
    )
  },
}))

interface Expected {
  tokens: readonly string[]
  outageMs: number
  scale: number
}

function judge(record: OutageRecord, expected: Expected, note: (progress: string) => void): Findings {
  const { tokens, outageMs, scale } = expected
  const { accepted, delivered, requestsAtMs, deliveredAfterMs, deadLetters, health, log, processes } = record
  const findings = new Findings()
  findings.rounds = 1
  const total = [...accepted.values()].reduce((sum, count) => sum + count, 0)
  const lost = tokens.filter((token) => !delivered.has(token)).length
  findings.add({ lost, duplicates: total - accepted.size, strays: delivered.size + lost - tokens.length })
  findings.noteTime(deliveredAfterMs)
  const began = timesOf(log, 'began')
  const probes = requestsAtMs.filter((atMs) => atMs > Math.max(...began) + READ_LATE_MS).length
  const mayBeProbes = processes * (FIRST_PROBES + outageMs / (PROBE_PAUSE_MS * scale))
  const inFlight = Math.max(0, findings.duplicates - probes)
  note(`${inFlight} duplicates before all processes noticed the outage, ${probes} probes after that`)
  findings.require(deadLetters === 0, `${deadLetters} batches were given up`)
  findings.require(probes <= mayBeProbes, `${probes} probes, more than ${mayBeProbes}`)
  findings.require(inFlight <= processes * MAX_IN_FLIGHT, `${inFlight} duplicates that are no probes`)
  findings.require(deliveredAfterMs <= DELIVERED_WITHIN_MS, `delivered ${deliveredAfterMs} ms after the return`)
  findings.require(health.during.startsWith('{"providers":{"fcm":"down"}'), `/health had ${health.during}`)
  const reminders = timesOf(log, 'continues').length
  note(`${began.length} lines of a begin, ${reminders} reminders`)
  findings.require(began.length >= 1 && began.length <= processes, `${began.length} lines of the begin of the outage`)
  findings.require(reminders <= (processes * outageMs) / REMINDER_MS, `${reminders} reminders of the outage`)
  return findings
}

/** The Unix times in ms of the lines about the outage. */
function timesOf(log: string, event: 'began' | 'continues'): number[] {
  const lines = log.split('\n').filter((line) => line.includes(`"msg":"provider: outage ${event}"`))
  return lines.map((line) => v.parse(Line, JSON.parse(line)).time)
}
