import { setTimeout as delay } from 'node:timers/promises'
import type { CentripushProcess } from '../../support/centripush-process.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'
import type { BackendName } from '../backend.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import { type Attempt, RepeatingClients } from '../repeating-clients.ts'
import type { Rig } from '../rig.ts'

const STALL_MS = 23_000
/**
 * Longer than the time of an answer: 10 s on PostgreSQL, 4 s on Redis. A server closes its connection to Redis after 8
 * s, and Redis discards the commands of a closed connection.
 */
const HANG_MS: Record<BackendName, number> = { postgresql: 14_000, redis: 6000 }
/** Clients of each kind. More than connections of a pool. */
const CLIENTS = 20
/** The calls run undisturbed for this long before each fault. It begins between two counts of the queue's jobs. */
const BEFORE_MS = 1500
/** A write that the store executed when the link stalled is sent by a worker within this time. */
const SENT_WITHIN_MS = 2000

/** Calls that the store answers too late: the link to it stalls, or it hangs. */
export const storeStalled: FaultCase = {
  name: 'store-stalled',
  promise:
    'while the link to the store stalls and while its statements hang, no call is executed that was answered with an ' +
    'error, except those that the store had executed when the link stalled',
  async run(rig, _random, note) {
    const findings = new Findings()
    const proxy = await startTcpProxy(rig.backend.port)
    try {
      await rig.startProcess('worker')
      const api = await rig.startProcess('api', { store: rig.backend.settingsVia(proxy.port) })
      const stalled = await callDuring(rig, api, async () => {
        proxy.stall()
        await delay(STALL_MS)
        proxy.resume()
      })
      await judge(rig, stalled, { fault: 'stall', findings, note, mayBeLost: CLIENTS })
      const hanging = await callDuring(rig, api, () => rig.backend.hangStore(HANG_MS[rig.backend.name]))
      await judge(rig, hanging, { fault: 'hang', findings, note, mayBeLost: 0 })
    } finally {
      await proxy.cut()
    }
    return findings
  },
}

interface Calls {
  attempts: readonly Attempt[]
  /** Unix time in ms at the start of the fault. */
  faultAtMs: number
}

/** Lets the clients call before, during and after a fault. */
async function callDuring(rig: Rig, api: CentripushProcess, fault: () => Promise<void>): Promise<Calls> {
  const clients = new RepeatingClients({ rig, api })
  clients.start('send', CLIENTS)
  // With a queue on Redis the devices are in another store, which does not fail.
  if (rig.backend.name === 'postgresql') clients.start('register', CLIENTS)
  await delay(BEFORE_MS)
  const faultAtMs = Date.now()
  await fault()
  await delay(BEFORE_MS)
  return { attempts: await clients.stop(), faultAtMs }
}

interface Verdict {
  fault: string
  findings: Findings
  note(progress: string): void
  /** The most calls of a kind that the store may have executed and whose answer was lost. */
  mayBeLost: number
}

async function judge(rig: Rig, { attempts, faultAtMs }: Calls, { fault, findings, note, mayBeLost }: Verdict) {
  await rig.waitForRest()
  for (const kind of ['send', 'register'] as const) {
    const all = await Promise.all(
      attempts
        .filter((attempt) => attempt.kind === kind)
        .map(async (attempt) => ({ ...attempt, executedAtMs: await findExecutions(rig, attempt) })),
    )
    if (all.length === 0) continue
    const failed = all.filter(({ isError }) => isError)
    const executed = failed.filter(({ executedAtMs }) => executedAtMs.length > 0)
    const late = executed.filter(({ executedAtMs }) => executedAtMs.some((atMs) => atMs > faultAtMs + SENT_WITHIN_MS))
    const answersLost = executed.length - late.length
    const missing = all.filter(({ isError, executedAtMs }) => !isError && executedAtMs.length === 0).length
    note(
      `${fault}: ${all.length} ${kind} calls, ${failed.length} errors, ${late.length} of them executed later, ` +
        `${answersLost} executed before`,
    )
    findings.rounds += failed.length
    findings.lost += missing
    findings.duplicates += late.length
    findings.require(failed.length > 0, `${fault}: no ${kind} call failed`)
    findings.require(missing === 0, `${fault}: ${missing} accepted ${kind} calls were lost`)
    findings.require(late.length === 0, `${fault}: ${late.length} ${kind} calls were executed after their error`)
    findings.require(answersLost <= mayBeLost, `${fault}: ${answersLost} ${kind} calls lost their answers`)
  }
}

/** The Unix times in ms of the pushes of a send, or of the registration of a device. */
async function findExecutions(rig: Rig, { kind, mark }: Attempt): Promise<number[]> {
  if (kind === 'send') return rig.deliveries.of(mark).map(({ atMs }) => atMs)
  const registeredAtMs = await rig.audiences.findRegistration(mark)
  return registeredAtMs === undefined ? [] : [registeredAtMs]
}
