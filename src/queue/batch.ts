// Batches, from fan-out to acknowledgement.
import type { ProviderName } from '../config/provider-names.ts'
import type { TargetKind } from '../sends/recipient.ts'
import type { SendContent } from '../sends/send-content.ts'
import type { Lane } from './lane.ts'

/** Devices in the order of their ids, as the uuids in them. */
export interface DeviceRange {
  /** Exclusive; undefined: from the first device. */
  after: string | undefined
  /** Inclusive. */
  until: string
}

/** Devices of a range batch, at most: five of them fill the 4,500 targets that a worker has in flight for broadcasts. */
export const RANGE_DEVICES = 900

/** The targets of a batch: lines (sends/target-line.ts), or a range of devices that the worker of the batch reads. */
export type BatchTargets<Lines> = { kind: 'lines'; lines: Lines } | { kind: 'range'; range: DeviceRange }

/** Targets of one send and one provider. */
export interface NewBatch {
  provider: ProviderName
  lane: Lane
  targetKind: TargetKind
  /** Lines in UTF-8: the bytes that the device store wrote, which are not decoded before the batch is claimed. */
  targets: BatchTargets<Buffer>
  /** How many targets; of a range how many devices it had when it was found, those of other providers included. */
  count: number
  /** Milliseconds before it may be claimed; 0 unless given. Until then it counts for no limit. */
  delayMs?: number
}

/** The right to deliver a batch, until the lease ends or the fence moves. */
export interface BatchClaim extends Omit<NewBatch, 'delayMs' | 'targets'> {
  targets: BatchTargets<string[]>
  id: string
  uid: string
  fence: number
  /** 1 for the first attempt. */
  attempt: number
  ambiguousAttempts: number
  /** Milliseconds since the first attempt began, by the store's clock. */
  ageMs: number
  /** Milliseconds until the send expires, by the store's clock; undefined for a send that does not. */
  expiresInMs: number | undefined
  /** The state of the send: a batch of a send that is not live is acknowledged unsent. */
  sendState: 'live' | 'cancelled' | 'expired'
  /** Single targets of the send were cancelled: `findExcluded` has to be asked before sending. */
  hasExclusions: boolean
  /** The progress of an earlier attempt (`checkpoint`): a bit for each line, that of the first line is the lowest of byte 0. */
  finished: Uint8Array | undefined
  /** The provider is paused, and this batch probes whether it works again. */
  isProbe: boolean
  /** Present where that saves a call: with small sends, whose content is read once. */
  content?: SendContent
}

/** The parts of a claim that identify it and its batch. */
export type ClaimKey = Pick<BatchClaim, 'id' | 'uid' | 'lane' | 'provider' | 'targetKind' | 'fence' | 'attempt'>

/** Targets that are stored for another attempt. */
export interface Retry {
  targets: BatchTargets<string>
  count: number
  /** Milliseconds before they may be claimed. */
  delayMs: number
  /** Attempts without an answer so far: the provider may have accepted them. */
  ambiguousAttempts: number
  /** They were not attempted: attempts and age count from their next claim. */
  startsOver?: boolean
}

/** Targets that get no further attempt. */
export interface GivenUp {
  targets: BatchTargets<string>
  count: number
  /** The last answer: a provider's error code, or a reason of ours. */
  reason: string
}

/** What remains of a batch after an attempt. */
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
