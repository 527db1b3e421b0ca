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
  /** Where the last committed page ended; undefined at the start. */
  cursor: string | undefined
}

/** One step of a walk: its batches, and where the next page begins; undefined ends the walk. */
export interface Page {
  batches: readonly NewBatch[]
  cursor: string | undefined
}

/** 'lost': the claim is no longer valid (lease over, or cancelled). 'full': back-pressure, the same page can be tried later. */
export type CommitResult = 'committed' | 'full' | 'lost'

/** A send as its batches need it. */
export interface StoredSend {
  /** Undefined for a cancelled send. */
  content: SendContent | undefined
  /** Undefined once no batch of the send needs it: all of them have lines. */
  recipient: Recipient | undefined
}

/** Targets that are cancelled in a send: the devices of a user, one device, or with both that device if it is that user's. */
export interface Exclusion {
  /** Empty: any user. */
  user: string
  /** As in target lines; empty: any device. */
  deviceId: string
}
