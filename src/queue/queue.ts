// The door of this room: the contract that push (which writes) and delivery (which works) have with the queue.
//
// A send is stored once. Its life:
//
//   waiting ──(due, and a worker claims it)──▶ fanning ──(its last page is committed)──▶ fanned ──(its last batch is
//   acknowledged)──▶ done.   From each of the first three: cancel ──▶ cancelled.
//
// The worker that claimed a send walks its recipients and writes them as batches, page by page. A page and the cursor
// behind it are committed together, so a worker killed anywhere has neither lost a batch nor written one twice.
// A batch is claimed under a lease, sent, and acknowledged with what remains to be retried.
//
// Every claim carries a fence. Who lost a claim (killed, stopped, too slow) finds the fence moved on: what it still
// commits or acknowledges answers 'lost' and changes nothing. All times are the store's clock, never a worker's.
//
// Promise: at least once. What `enqueue` accepted is kept until it is acknowledged, given up, expired or cancelled.
import type { ProviderName } from '../config/provider-names.ts'

/** Which devices a filter names: within one field any of the values, between fields all of them. */
export interface RecipientFilter {
  ids: readonly string[]
  users: readonly string[]
  topics: readonly string[]
  providers: readonly string[]
  platforms: readonly string[]
}

export type TargetKind = 'token' | 'topic' | 'condition'

/** To whom a send goes: devices of the store, or values that are the provider's own. */
export type Recipient =
  | { kind: 'filter'; filter: RecipientFilter }
  | { kind: 'native'; provider: ProviderName; targetKind: TargetKind; values: readonly string[] }

/** One provider's part of a notification: its JSON, byte for byte as the caller wrote it, and its headers. */
export interface QueuedNotification {
  json: Buffer
  headers: ReadonlyMap<string, string>
}

export interface Send {
  uid: string
  /** Tells a repeated request (same hash) from another one under the same `uid`. SHA-256, 32 bytes. */
  requestHash: Buffer
  /** Unix time in ms before which nothing is sent; undefined is at once. */
  sendAtMs: number | undefined
  /** Unix time in ms after which no attempt is made. */
  expireAtMs: number | undefined
  recipient: Recipient
  notifications: ReadonlyMap<ProviderName, QueuedNotification>
  analyticsUid: string
}

/** Small sends have a lane of their own, so that they never wait behind a broadcast. */
export type Lane = 'small' | 'broadcast'

/** A target as the queue keeps it: a reference, never a rendered payload. `deviceId` is empty for native targets. */
export interface QueuedTarget {
  deviceId: string
  value: string
}

/** One provider, one send, up to the provider's batch size of targets. */
export interface NewBatch {
  provider: ProviderName
  lane: Lane
  targetKind: TargetKind
  targets: readonly QueuedTarget[]
}

/** What is left of a batch after an attempt, to be claimed again after a delay. */
export interface Retry {
  targets: readonly QueuedTarget[]
  delayMs: number
  /** Attempts of these targets that may have been delivered although no answer came. */
  ambiguousAttempts: number
}

/** The right to walk a send's recipients, until the lease ends or the fence moves. */
export interface SendClaim {
  send: Send
  fence: number
  /** Where to go on: what the last committed page left, undefined at the start. */
  cursor: string | undefined
}

/** The right to send a batch, until the lease ends or the fence moves. */
export interface BatchClaim extends NewBatch {
  id: string
  uid: string
  fence: number
  /** 1 for the first attempt. */
  attempt: number
  ambiguousAttempts: number
  /** Milliseconds since the first attempt, by the store's clock; 0 at the first. */
  ageMs: number
  /** Milliseconds until the send expires, by the store's clock; undefined when it doesn't. */
  expiresInMs: number | undefined
  /** What became of the send meanwhile: a batch of a send that is not live is acknowledged unsent. */
  sendState: 'live' | 'cancelled' | 'expired'
}

/** A page of a fan-out: its batches, and where the next one starts; undefined ends the walk. */
export interface Page {
  batches: readonly NewBatch[]
  cursor: string | undefined
}

/** 'lost': the claim is not ours any more (lease over, or cancelled). 'full': back-pressure, try the same page later. */
export type CommitResult = 'committed' | 'full' | 'lost'

export interface QueueStats {
  /** Batches that could be claimed now, and those claimed. */
  waiting: ReadonlyMap<ProviderName, number>
  inFlight: ReadonlyMap<ProviderName, number>
  /** Sends whose time has not come. */
  scheduled: number
  /** Age in ms of the oldest batch that waits; 0 when none does. */
  oldestMs: number
}

export interface Queue {
  /**
   * Stores a send, and with `page` its first batches in the same step: a small send is on its way when this returns.
   * 'duplicate': the same request was accepted under this uid before, nothing is sent again. 'conflict': another one was.
   * 'full': too many jobs wait, nothing was stored. A send whose uid was cancelled beforehand is accepted and not sent.
   */
  enqueue(send: Send, page?: Page): Promise<'accepted' | 'duplicate' | 'conflict' | 'full'>

  /** Stops what has not been handed to a provider. An unknown uid is remembered for 10 minutes. */
  cancel(uid: string): Promise<void>

  /** Claims a send that is due for fan-out; undefined when there is none. */
  claimSend(): Promise<SendClaim | undefined>

  /** Writes a page's batches and moves the cursor, both or neither. Extends the lease, also when it is 'full'. */
  commitPage(claim: SendClaim, page: Page): Promise<CommitResult>

  /** Gives a send back that was not walked to its end; another worker goes on at once. */
  releaseSend(claim: SendClaim): Promise<void>

  /** Claims up to `limit` batches of a lane, those waiting longest first. */
  claimBatches(lane: Lane, providers: readonly ProviderName[], limit: number): Promise<BatchClaim[]>

  /** The send that a batch belongs to; undefined once it has been cleaned up. */
  loadSend(uid: string): Promise<Send | undefined>

  /** Extends the leases of `claims`; resolves to the ids of those that are lost. */
  extend(claims: readonly BatchClaim[]): Promise<ReadonlySet<string>>

  /** Removes the batch and stores what is to be retried, both or neither. */
  acknowledge(claim: BatchClaim, retries: readonly Retry[]): Promise<'acknowledged' | 'lost'>

  /** Gives claims back unsent, claimable at once and without counting an attempt. */
  release(claims: readonly BatchClaim[]): Promise<void>

  /** Resolves when there may be work, after `timeoutMs` at the latest, or when `signal` aborts. Never rejects. */
  waitForWork(timeoutMs: number, signal: AbortSignal): Promise<void>

  stats(): Promise<QueueStats>

  close(): Promise<void>
}
