// Sends in the queue, from the accepted request to the end of their fan-out.
import type { ProviderName } from '../config/provider-names.ts'
import type { AckKind } from '../sends/ack-rule.ts'
import type { Recipient } from '../sends/recipient.ts'
import type { SendContent } from '../sends/send-content.ts'
import type { SkipReason } from '../sends/skip-reason.ts'
import type { NewBatch } from './batch.ts'
import type { Lane } from './lane.ts'

/** A send as it is accepted and stored. */
export interface Send {
  uid: string
  /** SHA-256 of the request, 32 bytes. It tells a repeated request from a different request with the same `uid`. */
  requestHash: Buffer
  lane: Lane
  /** Unix time in ms before which no target is sent; undefined: the send is due at once. */
  sendAtMs: number | undefined
  /** Unix time in ms after which no attempt begins; undefined: the send does not expire. */
  expireAtMs: number | undefined
  recipient: Recipient
  content: SendContent
}

/**
 * The right of a worker to fan out a send (to store it as batches), until the lease ends, or the send is claimed again
 * or cancelled.
 */
export interface SendClaim {
  uid: string
  lane: Lane
  recipient: Recipient
  content: SendContent
  fence: number
  /**
   * The position up to which batches are stored: the end of the last committed page; undefined: no page is committed.
   */
  cursor: string | undefined
  /** Whether targets were excluded from the send before it was claimed. */
  hasExclusions: boolean
}

/** Devices of the recipient that get no push, in no batch. */
export interface LeftOut {
  provider: ProviderName
  reason: SkipReason
  /** Their target lines. */
  lines: Buffer
  count: number
}

/** One page of a send's fan-out: the batches to store, and the position behind them. */
export interface Page {
  batches: readonly NewBatch[]
  /** Devices of the page that are in none of its batches; absent: none. They are only counted. */
  leftOut?: readonly LeftOut[]
  /** Where the next page starts; undefined: this page is the last one. */
  cursor: string | undefined
}

/** A send to store, and the page to store with it. */
export interface NewSend {
  send: Send
  page: Page | undefined
}

/** What storing a send gives if the limits of the queue permit it, see `Queue.enqueue`. */
export type Insertion = 'accepted' | 'duplicate' | 'conflict' | 'outOfMemory'

/** Takes each page after it was stored with its send. */
export type OnStored = (send: Pick<Send, 'uid' | 'lane' | 'content'>, page: Page) => void

/**
 * The result of committing a page. 'lost': the lease ended or the send was cancelled. 'full': too many batches are
 * waiting; the same page can be committed later.
 */
export type CommitResult = 'committed' | 'full' | 'lost'

/** The parts of a send that the delivery of its batches needs. */
export interface StoredSend {
  /** The content of the send; undefined if the send was cancelled. */
  content: SendContent | undefined
  /** The recipient, which range batches need to read their devices; undefined if all batches of the send have lines. */
  recipient: Recipient | undefined
}

/**
 * A part of a send that is not sent to: all devices of a user, one device, or (with both fields) one device if it
 * belongs to the user.
 */
export interface Exclusion {
  /** The excluded user; empty: any user. */
  user: string
  /** The uuid of the excluded device, as in target lines; empty: any device. */
  deviceId: string
  /**
   * The kind of the ack that made the exclusion; undefined if a cancellation made it. An exclusion by an ack has a
   * user. Without a device it is valid only for sends of the ack scope `user`.
   */
  ack?: AckKind
}
