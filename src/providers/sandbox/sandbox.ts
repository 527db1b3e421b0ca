import type { ProviderName } from '../../config/provider-names.ts'
import type { Logger } from '../../observability/log.ts'
import { pause } from '../../timing/pause.ts'
import type { Batch, Provider, Settle, TargetKind } from '../provider.ts'

/** Enough to look back on a try-out; a broadcast must not fill the memory. */
const KEPT_RECORDS = 1000

/** What would have been sent. No targets and no payload: it is shown and logged. */
export interface SandboxRecord {
  atMs: number
  uid: string
  targetKind: TargetKind
  targets: number
  /** Where each target gets its own those of the template. */
  messageBytes: number
}

export interface SandboxDeps {
  /** The provider it stands in for. */
  name: ProviderName
  logger: Logger
  /** Records kept in memory, 1,000 if not given. */
  keptRecords?: number
  /** How long a batch takes, as if it were sent. */
  latencyMs?: number
  /** Unix time in ms. */
  nowMs?: () => number
}

/** Stands in for a provider that has no credentials: every target counts as sent, and what it was is recorded. */
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
    this.#deps.logger.info({ provider: this.name, uid, targets, messageBytes }, 'sandbox: would have been sent')
    for (const index of batch.targets.keys()) settle(index, { kind: 'sent', messageId: `sandbox-${uid}-${index}` })
  }

  async close(): Promise<void> {}
}

/** False when the batch was aborted before its time was over. */
async function waitOut(latencyMs: number, signal: AbortSignal): Promise<boolean> {
  if (latencyMs > 0) await pause(latencyMs, signal)
  return !signal.aborted
}

function recordOf(batch: Batch, atMs: number): SandboxRecord {
  const { uid, targetKind, targets, notification } = batch
  return { atMs, uid, targetKind, targets: targets.length, messageBytes: notification.json.length }
}
