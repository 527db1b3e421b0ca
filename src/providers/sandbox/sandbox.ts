import type { ProviderName } from '../../config/provider-names.ts'
import type { Logger } from '../../observability/log.ts'
import type { TargetKind } from '../../sends/recipient.ts'
import { pause } from '../../timing/pause.ts'
import type { Batch, Provider, Settle } from '../provider.ts'

/** The records of this many batches are kept: enough for a manual test, and few enough for the memory. */
const KEPT_RECORDS = 1000

/** The time between two lines about one send, in ms. */
const LOG_INTERVAL_MS = 5000

/** The record of a batch that the sandbox got. It has no targets and no payload, because it is shown and logged. */
export interface SandboxRecord {
  /** When the batch was recorded, as Unix time in ms. */
  atMs: number
  uid: string
  targetKind: TargetKind
  /** The number of targets of the batch. */
  targets: number
  /** The bytes of the notification, or of its template if it is personal. */
  messageBytes: number
}

export interface SandboxDeps {
  /** The provider that the sandbox replaces. */
  name: ProviderName
  logger: Logger
  /** The number of records kept in memory, 1,000 unless given. */
  keptRecords?: number
  /** How long a batch takes, in ms; 0 unless given. */
  latencyMs?: number
  /** Returns the current Unix time in ms; Date.now unless given. */
  nowMs?: () => number
}

/** Replaces a provider that has no credentials: it settles every target as sent, and records the batch. */
export class SandboxProvider implements Provider {
  readonly name: ProviderName
  readonly takesPersonal = true
  readonly #deps: Required<SandboxDeps>
  readonly #records: SandboxRecord[] = []
  /** The batches since the last line, of the sends of the last seconds. */
  readonly #sends = new Map<string, { batches: number; targets: number; timer: NodeJS.Timeout }>()

  constructor(deps: SandboxDeps) {
    this.name = deps.name
    this.#deps = { keptRecords: KEPT_RECORDS, latencyMs: 0, nowMs: Date.now, ...deps }
  }

  /** The records of the latest batches, the oldest first. */
  get records(): readonly SandboxRecord[] {
    return this.#records
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    if (!(await waitOut(this.#deps.latencyMs, signal))) return
    const record = recordOf(batch, this.#deps.nowMs())
    this.#records.push(record)
    if (this.#records.length > this.#deps.keptRecords) this.#records.shift()
    this.#log(record)
    const { uid } = batch
    for (const index of batch.targets.keys()) settle(index, { kind: 'sent', messageId: `sandbox-${uid}-${index}` })
  }

  async close(): Promise<void> {
    for (const { timer } of this.#sends.values()) clearTimeout(timer)
    for (const uid of this.#sends.keys()) this.#logMore(uid)
  }

  /** Logs the first batch of a send at once, and the others together. */
  #log({ uid, targets, messageBytes }: SandboxRecord): void {
    const send = this.#sends.get(uid)
    if (send) {
      send.batches++
      send.targets += targets
      return
    }
    this.#deps.logger.info({ provider: this.name, uid, targets, messageBytes }, 'sandbox: batch recorded, not sent')
    this.#sends.set(uid, {
      batches: 0,
      targets: 0,
      timer: setTimeout(() => this.#logMore(uid), LOG_INTERVAL_MS).unref(),
    })
  }

  /** Logs the batches since the last line. A send without any is forgotten. */
  #logMore(uid: string): void {
    const send = this.#sends.get(uid)
    if (!send) return
    const { batches, targets, timer } = send
    if (batches === 0) return void this.#sends.delete(uid)
    this.#deps.logger.info({ provider: this.name, uid, batches, targets }, 'sandbox: more batches recorded, not sent')
    Object.assign(send, { batches: 0, targets: 0 })
    timer.refresh()
  }
}

/** Waits for the simulated duration of a batch. Resolves to false if the signal aborts first. */
async function waitOut(latencyMs: number, signal: AbortSignal): Promise<boolean> {
  if (latencyMs > 0) await pause(latencyMs, signal)
  return !signal.aborted
}

function recordOf(batch: Batch, atMs: number): SandboxRecord {
  const { uid, targetKind, targets, notification } = batch
  return { atMs, uid, targetKind, targets: targets.length, messageBytes: notification.json.length }
}
