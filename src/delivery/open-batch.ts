import type { ProviderName } from '../config/provider-names.ts'
import type { BatchClaim, DeviceRange } from '../queue/batch.ts'
import type { Queue } from '../queue/queue.ts'
import type { AckRule } from '../sends/ack-rule.ts'
import type { SkipReason } from '../sends/skip-reason.ts'
import { decodeTarget } from '../sends/target-line.ts'

/** Devices of a range that get no push, because the send has no notification for their provider. */
export interface SkippedDevices {
  provider: ProviderName
  reason: SkipReason
  /** Their target lines. */
  lines: readonly string[]
}

/** A claimed batch with its targets. */
export interface OpenBatch extends Omit<BatchClaim, 'targets'> {
  lines: readonly string[]
  /** Whether the batch is a range. */
  isRange: boolean
  /** Devices of the batch's range that are counted with this batch. Each device is in one batch of the send. */
  skipped: readonly SkippedDevices[]
  /** The part of a range that becomes another batch, because the range has more devices than a batch may have. */
  rest: DeviceRange | undefined
}

/** A target that is sent: its line, and the position of the line in the batch. */
export interface OpenTarget {
  line: string
  place: number
}

/** The targets of a batch that are not finished by an earlier attempt. */
export function listUnfinished({ lines, finished }: Pick<OpenBatch, 'lines' | 'finished'>): OpenTarget[] {
  const targets = lines.map((line, place) => ({ line, place }))
  return finished ? targets.filter(({ place }) => !isFinished(finished, place)) : targets
}

interface ExcludedTargetsDeps {
  queue: Pick<Queue, 'findExcluded'>
  uid: string
  /** The acks that count for the send. */
  rule: AckRule
  /** The targets to ask for. */
  list: () => readonly OpenTarget[]
}

/** The excluded targets of a batch. */
export class ExcludedTargets {
  readonly #deps: ExcludedTargetsDeps
  /** Undefined until the first one is found: few sends have any. */
  #found: Set<OpenTarget> | undefined

  constructor(deps: ExcludedTargetsDeps) {
    this.#deps = deps
  }

  /** Whether none was found so far. */
  get isEmpty(): boolean {
    return this.#found === undefined || this.#found.size === 0
  }

  /** Whether a target was found to be excluded so far. */
  has(target: OpenTarget): boolean {
    return this.#found?.has(target) ?? false
  }

  /** Asks the queue for the targets that were not found so far. */
  async read(): Promise<void> {
    const { queue, uid, rule, list } = this.#deps
    const targets = list().filter((target) => !this.has(target))
    const isExcluded = await queue.findExcluded(
      uid,
      targets.map(({ line }) => decodeTarget(line)),
      rule,
    )
    const found = targets.filter((_, index) => isExcluded[index])
    this.#found = new Set([...(this.#found ?? []), ...found])
  }
}

/** Whether the bit of the target at `place` is set in the format of `BatchClaim.finished`. */
export function isFinished(bits: Uint8Array, place: number): boolean {
  return (((bits[place >> 3] ?? 0) >> (place & 7)) & 1) === 1
}
