// Sends, from the request to the end of their fan-out.
import type { Recipient } from '../sends/recipient.ts'
import type { SendContent } from '../sends/send-content.ts'
import type { NewBatch } from './batch.ts'
import type { Lane } from './lane.ts'

/** A send as it is accepted. */
export interface Send {
  uid: string
  /** Distinguishes a repeated request (same hash) from another request with the same `uid`. SHA-256, 32 bytes. */
  requestHash: Buffer
  lane: Lane
  /** Unix time in ms before which nothing is sent; undefined: at once. */
  sendAtMs: number | undefined
  /** Unix time in ms after which no attempt begins; undefined: no such time. */
  expireAtMs: number | undefined
  recipient: Recipient
  content: SendContent
}

/** The right to walk a send's recipient, until the lease ends or the fence moves. */
export interface SendClaim {
  uid: string
  lane: Lane
  recipient: Recipient
  content: SendContent
  fence: number
  /** The end of the last committed page; undefined: none is committed. */
  cursor: string | undefined
}

/** One step of a walk. */
export interface Page {
  batches: readonly NewBatch[]
  /** The start of the next page; undefined: this page is the last one. */
  cursor: string | undefined
}

/** 'lost': the lease ended or the send was cancelled. 'full': back-pressure; the same page can be committed later. */
export type CommitResult = 'committed' | 'full' | 'lost'

/** The parts of a send that its batches need. */
export interface StoredSend {
  /** Undefined for a cancelled send. */
  content: SendContent | undefined
  /** Undefined if all batches of the send have lines, which need no recipient. */
  recipient: Recipient | undefined
}

/** A cancelled part of a send: the devices of a user, one device, or with both fields that device of that user. */
export interface Exclusion {
  /** Empty: any user. */
  user: string
  /** The uuid, as in target lines; empty: any device. */
  deviceId: string
}
