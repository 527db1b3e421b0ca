// Batches in the queue, from fan-out to acknowledgement.
import type { ProviderName } from '../config/provider-names.ts'
import type { TargetKind } from '../sends/recipient.ts'
import type { SendContent } from '../sends/send-content.ts'
import type { Lane } from './lane.ts'
import type { ReportCount } from './report.ts'

/** A range: an interval of devices in the order of their ids. Both bounds are uuids of devices. */
export interface DeviceRange {
  /** The lower bound, which is not part of the range; undefined: the range begins at the first device. */
  after: string | undefined
  /** The upper bound, which is part of the range. */
  until: string
}

/**
 * The most devices of a range batch. Five of these ranges fill the 4,500 targets that a worker has in flight for
 * broadcasts.
 */
export const RANGE_DEVICES = 900

/** The targets of a batch: lines (sends/target-line.ts), or a range of devices, which the worker of the batch reads. */
export type BatchTargets<Lines> = { kind: 'lines'; lines: Lines } | { kind: 'range'; range: DeviceRange }

/** A batch that is not stored yet: targets of one send and one provider. */
export interface NewBatch {
  provider: ProviderName
  lane: Lane
  targetKind: TargetKind
  /**
   * The targets. If they are lines, these are the UTF-8 bytes of the device store, which are decoded only when the
   * batch is claimed.
   */
  targets: BatchTargets<Buffer>
  /** The number of targets. For a range: how many devices, of all providers, it had when it was found. */
  count: number
  /** Milliseconds before the batch can be claimed, 0 by default. Until then it does not count as a waiting batch. */
  delayMs?: number
}

/** The right of a worker to deliver a batch, until the lease ends or the batch is claimed again. */
export interface BatchClaim extends Omit<NewBatch, 'delayMs' | 'targets'> {
  targets: BatchTargets<string[]>
  /** The id of the batch. */
  id: string
  /** The uid of the batch's send. */
  uid: string
  /** The uid of the rows that analytics keeps about the send. */
  analyticsUid: string
  fence: number
  /** The number of this attempt to deliver the batch's targets; the first attempt is 1. */
  attempt: number
  /** Whether the batch is a retry. The report of the send counts the targets of retries as `retrying`. */
  isRetry: boolean
  /** The number of earlier attempts that got no answer from the provider, which may have accepted the pushes. */
  ambiguousAttempts: number
  /** Milliseconds since the first attempt for these targets began, by the store's clock. */
  ageMs: number
  /** Milliseconds until the send expires, by the store's clock; undefined: it does not expire. */
  expiresInMs: number | undefined
  /** The state of the send. If it is not live, the worker acknowledges the batch without sending it. */
  sendState: 'live' | 'cancelled' | 'expired'
  /** Whether single targets of the send were cancelled. If so, the worker asks `findExcluded` before it sends. */
  hasExclusions: boolean
  /**
   * Targets that an earlier attempt has finished and must not be sent to again: a bit for each line, starting at the
   * lowest bit of byte 0. Undefined: none are known. They come from the last `checkpoint` of that attempt.
   */
  finished: Uint8Array | undefined
  /** The note of that checkpoint; empty if there is none. */
  finishedNote: string
  /** Whether the provider is paused and this batch is the probe that finds out whether it works again. */
  isProbe: boolean
  /** The content of the send. Present for small sends, which saves a call of `loadSend`. */
  content?: SendContent
}

/** The parts of a batch's claim that identify the claim and the batch. */
export type ClaimKey = Pick<BatchClaim, 'id' | 'uid' | 'lane' | 'provider' | 'targetKind' | 'fence' | 'attempt'>

/**
 * The state of a claim in the store. 'lost': another worker may have the batch. 'cancelled': all targets of the send
 * are. 'excluded': single targets are, see `Queue.findExcluded`. 'valid': none is. 'unknown': the part of the store with
 * the batch did not answer, so the claim is not confirmed.
 */
export type ClaimState = 'lost' | 'cancelled' | 'excluded' | 'valid' | 'unknown'

/** Targets of a batch that are stored for another attempt. */
export interface Retry {
  targets: BatchTargets<string>
  count: number
  /** Milliseconds before the targets can be claimed again. */
  delayMs: number
  /** The number of attempts so far that got no answer from the provider. */
  ambiguousAttempts: number
  /** True if the targets were not attempted: the number of attempts and the age start again at their next claim. */
  startsOver?: boolean
}

/** Targets that get no further attempt; they are stored as a dead letter. */
export interface GivenUp {
  targets: BatchTargets<string>
  count: number
  /** The reason of the targets' last outcome: an error code of the provider or a text of this server. */
  reason: string
}

/** The targets of a batch that were not delivered in an attempt: those to retry and those given up. */
export interface Remainder {
  retries: readonly Retry[]
  givenUp: readonly GivenUp[]
  /** The changes of the send's report by this attempt; absent: there are none. */
  counts?: readonly ReportCount[]
}

/** The progress of a batch that is being sent. */
export interface Progress {
  claim: ClaimKey
  /** A bit for each finished line of the batch, in the format of `BatchClaim.finished`. */
  finished: Uint8Array
  /** A note about these lines for the next claim of the batch. */
  note: string
}
