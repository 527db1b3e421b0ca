import type { ProviderName } from '../../config/provider-names.ts'
import type { Logger } from '../../observability/log.ts'
import type { TargetKind } from '../../sends/recipient.ts'
import { pause } from '../../timing/pause.ts'
import type { Batch, Provider, Settle } from '../provider.ts'

/** Enough for a manual test. A limit keeps broadcasts from filling the memory. */
const KEPT_RECORDS = 1000

/** A batch that was not sent. It contains no targets and no payload, because it is shown and logged. */
export interface SandboxRecord {
  /** Unix time in ms. */
  atMs: number
  uid: string
  targetKind: TargetKind
  /** The number of targets. */
  targets: number
  /** The size of the notification, or of its template if it is personal. */
  messageBytes: number
}

export interface SandboxDeps {
  /** The provider that the sandbox replaces. */
  name: ProviderName
  logger: Logger
  /** Records kept in memory, 1,000 unless given. */
  keptRecords?: number
  /** The simulated duration of a batch, 0 unless given. */
  latencyMs?: number
  /** Unix time in ms. */
  nowMs?: () => number
}

/** Replaces a provider that has no credentials: it settles every target as sent, and records the batch. */
export class SandboxProvider implements Provider {
  readonly name: ProviderName
  readonly takesPersonal = true
  readonly #deps: Required<SandboxDeps>
  readonly #records: SandboxRecord[] = []

  constructor(deps: SandboxDeps) {
    this.name = deps.name
    this.#deps = { keptRecords: KEPT_RECORDS, latencyMs: 0, nowMs: Date.now, ...deps }
  }

  /** The latest batches, oldest first. */
  get records(): readonly SandboxRecord[] {
    return this.#records
  }

  async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    if (!(await waitOut(this.#deps.latencyMs, signal))) return
    const record = recordOf(batch, this.#deps.nowMs())
    this.#records.push(record)
    if (this.#records.length > this.#deps.keptRecords) this.#records.shift()
    const { uid, targets, messageBytes } = record
    this.#deps.logger.info({ provider: this.name, uid, targets, messageBytes }, 'sandbox: batch recorded, not sent')
    for (const index of batch.targets.keys()) settle(index, { kind: 'sent', messageId: `sandbox-${uid}-${index}` })
  }

  async close(): Promise<void> {}
}

/** False if the signal aborts first. */
async function waitOut(latencyMs: number, signal: AbortSignal): Promise<boolean> {
  if (latencyMs > 0) await pause(latencyMs, signal)
  return !signal.aborted
}

function recordOf(batch: Batch, atMs: number): SandboxRecord {
  const { uid, targetKind, targets, notification } = batch
  return { atMs, uid, targetKind, targets: targets.length, messageBytes: notification.json.length }
}
