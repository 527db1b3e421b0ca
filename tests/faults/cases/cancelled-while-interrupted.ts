import { setTimeout as delay } from 'node:timers/promises'
import type { CentripushProcess } from '../../support/centripush-process.ts'
import { startFcmSimulator } from '../../support/fcm-simulator.ts'
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'
import { type Audience, userOf } from '../audience.ts'
import { countDeliveries, Deliveries, type Delivery } from '../deliveries.ts'
import type { FaultCase } from '../fault-case.ts'
import { Findings } from '../findings.ts'
import type { Rig } from '../rig.ts'

const TAKES_EFFECT_WITHIN_MS = 1000
/** Devices of each of the four sends, which a worker can have in flight together. */
const DEVICES = 1000
/** Users that are cancelled in a send. */
const USERS = 100
/** Pushes before the interruption: more than the streams of all connections, so that the other targets wait for one. */
const PUSHES_BEFORE = 1200
const MAX_STREAMS = 20
/** Pushes of the worker that takes over, before the interruption may end: a part of the sends that go on. */
const TAKEN_OVER = 500
/** A lease that ends in none of the short interruptions. */
const LONG_LEASE_MS = 15_000

/** An interruption of a worker. */
interface Interruption {
  begin(worker: CentripushProcess, proxy: TcpProxy): void
  end(worker: CentripushProcess, proxy: TcpProxy): void
  /** The time of an answer of the provider. */
  answerMs: number
  /** How long the worker is interrupted while it keeps its leases. */
  shortMs: number
  /** How long it is interrupted while another worker takes its batches over, with leases of 1.5 s and of 15 s. */
  longMs: { short: number; full: number }
}

/** The worker's connections to its store pass no bytes on. */
export const cancelledWhileCutOff = makeCase('cancelled-while-cut-off', {
  begin: (_, proxy) => proxy.stall(),
  end: (_, proxy) => proxy.resume(),
  answerMs: 2000,
  shortMs: 8000,
  longMs: { short: 5000, full: 20_000 },
})

/** The worker is stopped by a signal. */
export const cancelledWhileFrozen = makeCase('cancelled-while-frozen', {
  begin: (worker) => worker.freeze(),
  end: (worker) => worker.thaw(),
  answerMs: 150,
  shortMs: 3000,
  longMs: { short: 5000, full: 18_000 },
})

function makeCase(name: string, interruption: Interruption): FaultCase {
  return {
    name,
    promise:
      'a cancel that is answered while a worker is interrupted reaches it: no push goes out later than 1 s after the ' +
      'answer, and none to a target whose batch another worker has taken over',
    async run(rig, random, note) {
      const { shortMs, longMs } = interruption
      const { leaseMs } = rig.scale
      const findings = new Findings()
      const rounds = [
        { ms: shortMs, leaseMs: LONG_LEASE_MS, hasHeir: false },
        { ms: longMs[rig.scale.name], leaseMs, hasHeir: true },
      ]
      for (const round of rounds) {
        const result = await interrupt(rig, random, interruption, round)
        judge(findings, result)
        note(`interrupted for ${round.ms / 1000} s: ${describe(result)}`)
        await rig.clear()
      }
      return findings
    },
  }
}

/** One of the four sends. */
interface CancelledSend {
  uid: string
  isReliable: boolean
  /** Unix time in ms of the answer to its cancel, for each target that was cancelled. */
  cancelledAtMs: Map<string, number>
}

interface Result {
  audience: Audience
  sends: readonly CancelledSend[]
  /** The pushes of the interrupted worker, and of the one that takes its batches over. */
  own: Deliveries
  heir: Deliveries
}

async function interrupt(
  rig: Rig,
  random: () => number,
  { begin, end, answerMs }: Interruption,
  { ms, leaseMs, hasHeir }: { ms: number; leaseMs: number; hasHeir: boolean },
): Promise<Result> {
  const proxy = await startTcpProxy(rig.backend.port)
  const [fcm, heirFcm] = await Promise.all(
    [0, 1].map(() => startFcmSimulator({ slowMs: answerMs, maxStreams: MAX_STREAMS })),
  )
  if (!fcm || !heirFcm) throw new Error('both simulators should have started')
  const [own, heir] = [new Deliveries(fcm), new Deliveries(heirFcm)]
  try {
    const audience = await rig.audience('slow-interrupted', DEVICES)
    const worker = await rig.startProcess('worker', { store: rig.backend.settingsVia(proxy.port), fcm, leaseMs })
    const sends = await sendAll(rig, audience)
    await own.reach(PUSHES_BEFORE)
    begin(worker, proxy)
    const endsAtMs = Date.now() + ms
    await cancelAll(rig, random, audience, sends, own)
    if (hasHeir) {
      await rig.startProcess('worker', { fcm: heirFcm, leaseMs })
      await heir.reach(TAKEN_OVER)
    }
    await delay(Math.max(0, endsAtMs - Date.now()))
    end(worker, proxy)
    for (const { uid } of sends) await rig.waitForEnd(uid)
    await worker.stop()
    return { audience, sends, own, heir }
  } finally {
    await rig.clear()
    await Promise.all([fcm.stop(), heirFcm.stop(), proxy.cut()])
  }
}

/** Two sends to be cancelled, and two to be cancelled for single users; one of each is reliable. */
async function sendAll(rig: Rig, audience: Audience): Promise<CancelledSend[]> {
  const sends: CancelledSend[] = []
  for (const part of ['whole', 'users']) {
    for (const isReliable of [false, true]) {
      const uid = rig.makeUid(part)
      await rig.sendTo(audience, uid, { optimize_for_reliability: isReliable })
      sends.push({ uid, isReliable, cancelledAtMs: new Map() })
    }
  }
  return sends
}

async function cancelAll(
  rig: Rig,
  random: () => number,
  { tokens }: Audience,
  sends: readonly CancelledSend[],
  own: Deliveries,
): Promise<void> {
  for (const { uid, cancelledAtMs } of sends) {
    if (uid.startsWith('whole')) {
      const atMs = await rig.cancel(uid)
      for (const token of tokens) cancelledAtMs.set(token, atMs)
      continue
    }
    const pushed = new Set(own.of(uid).map(({ target }) => target))
    const open = [...tokens].filter((token) => !pushed.has(token))
    for (let count = 0; count < USERS && open.length > 0; count++) {
      const [token = ''] = open.splice(Math.floor(random() * open.length), 1)
      cancelledAtMs.set(token, await rig.cancel(uid, userOf(token)))
    }
  }
}

function judge(findings: Findings, result: Result): void {
  findings.rounds++
  for (const { uid, isReliable, cancelledAtMs } of result.sends) {
    const word = `${uid.startsWith('whole') ? 'a whole' : 'a user’s'} cancel${isReliable ? ' of a reliable send' : ''}`
    const pushes = pushesOf(result, uid)
    const late = findLate(pushes, cancelledAtMs)
    findings.require(late.length === 0, `${late.length} pushes later than 1 s after ${word}`)
    for (const { target, atMs } of pushes) findings.noteTime(atMs - (cancelledAtMs.get(target) ?? atMs))
    const others = new Set([...result.audience.tokens].filter((token) => !cancelledAtMs.has(token)))
    findings.add(
      countDeliveries(
        others,
        pushes.filter(({ target }) => others.has(target)),
      ),
    )
    const doubled = countAfterLoss(result, uid)
    findings.require(doubled === 0, `${doubled} pushes after a lost lease, which another worker had sent before`)
  }
}

function pushesOf({ own, heir }: Result, uid: string): Delivery[] {
  return [...own.of(uid), ...heir.of(uid)]
}

function findLate(pushes: readonly Delivery[], cancelledAtMs: ReadonlyMap<string, number>): Delivery[] {
  return pushes.filter(({ target, atMs }) => atMs > (cancelledAtMs.get(target) ?? atMs) + TAKES_EFFECT_WITHIN_MS)
}

/** Pushes of the interrupted worker to targets to which the other one had sent before. */
function countAfterLoss({ own, heir }: Result, uid: string): number {
  const takenOverAtMs = new Map(heir.of(uid).map(({ target, atMs }) => [target, atMs]))
  return own.of(uid).filter(({ target, atMs }) => atMs > (takenOverAtMs.get(target) ?? atMs)).length
}

function describe(result: Result): string {
  const late = result.sends.map(({ uid, cancelledAtMs }) => findLate(pushesOf(result, uid), cancelledAtMs).length)
  const afterLoss = result.sends.reduce((sum, { uid }) => sum + countAfterLoss(result, uid), 0)
  return `${late.join(', ')} pushes too late (whole, reliable, users, reliable), ${afterLoss} after a lost lease`
}
