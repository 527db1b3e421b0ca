// Batches, from fan-out to acknowledgement.
import type { ProviderName } from '../config/provider-names.ts'
import type { TargetKind } from '../sends/recipient.ts'
import type { SendContent } from '../sends/send-content.ts'
import type { Lane } from './lane.ts'

/** An interval of devices in the order of their ids. Both ends are uuids of devices. */
export interface DeviceRange {
  /** Exclusive; undefined: from the first device. */
  after: string | undefined
  /** Inclusive. */
  until: string
}

/** Devices of a range batch, at most. Five ranges fill the 4,500 targets that a worker has in flight for broadcasts. */
export const RANGE_DEVICES = 900

/** The targets of a batch: lines (sends/target-line.ts), or a range of devices, which the worker of the batch reads. */
export type BatchTargets<Lines> = { kind: 'lines'; lines: Lines } | { kind: 'range'; range: DeviceRange }

/** A batch that is not stored yet: targets of one send and one provider. */
export interface NewBatch {
  provider: ProviderName
  lane: Lane
  targetKind: TargetKind
  /** Lines are the UTF-8 bytes of the device store, which are decoded only when the batch is claimed. */
  targets: BatchTargets<Buffer>
  /** The number of targets. For a range, the number of its devices of all providers when it was found. */
  count: number
  /** Milliseconds before the batch can be claimed, 0 by default. Until then no limit of the queue counts it. */
  delayMs?: number
}

/** The right to deliver a batch, until the lease ends or the fence moves. */
export interface BatchClaim extends Omit<NewBatch, 'delayMs' | 'targets'> {
  targets: BatchTargets<string[]>
  /** The id of the batch. */
  id: string
  /** The uid of its send. */
  uid: string
  fence: number
  /** The number of this attempt, from 1. */
  attempt: number
  /** The number of earlier attempts that were ambiguous. */
  ambiguousAttempts: number
  /** Milliseconds since the first attempt began, by the store's clock. */
  ageMs: number
  /** Milliseconds until the send expires, by the store's clock; undefined: it does not expire. */
  expiresInMs: number | undefined
  /** The state of the send: a batch of a send that is not live is acknowledged unsent. */
  sendState: 'live' | 'cancelled' | 'expired'
  /** Single targets of the send were cancelled: `findExcluded` has to be asked before sending. */
  hasExclusions: boolean
  /** The last `checkpoint` of an earlier attempt: a bit for each line; the first line has the lowest bit of byte 0. */
  finished: Uint8Array | undefined
  /** The provider is paused, and this batch probes whether it works again. */
  isProbe: boolean
  /** Present for small sends, to save a call of `loadSend`. */
  content?: SendContent
}

/** The parts of a claim that identify it and its batch. */
export type ClaimKey = Pick<BatchClaim, 'id' | 'uid' | 'lane' | 'provider' | 'targetKind' | 'fence' | 'attempt'>

/**
 * The state of a claim in the store. 'lost': another worker may have the batch. 'cancelled': all targets of the send
 * are. 'excluded': single targets are, see `Queue.findExcluded`. 'valid': none is.
 */
export type ClaimState = 'lost' | 'cancelled' | 'excluded' | 'valid'

/** Targets that are stored for another attempt. */
export interface Retry {
  targets: BatchTargets<string>
  count: number
  /** Milliseconds before they can be claimed. */
  delayMs: number
  /** The number of ambiguous attempts so far. */
  ambiguousAttempts: number
  /** The targets were not attempted: attempts and age are counted from their next claim. */
  startsOver?: boolean
}

/** Targets that get no further attempt. */
export interface GivenUp {
  targets: BatchTargets<string>
  count: number
  /** The reason of the last outcome: an error code of the provider or a text of this server. */
  reason: string
}

/** The targets of a batch without a final outcome, after an attempt. */
export interface Remainder {
  retries: readonly Retry[]
  givenUp: readonly GivenUp[]
}

/** The progress of a batch that is being sent. */
export interface Progress {
  claim: ClaimKey
  /** See `BatchClaim.finished`. */
  finished: Uint8Array
}
