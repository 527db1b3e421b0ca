// The door of this room: the contract of fan-out, which writes batches, and delivery, which sends them.
//
// A send is stored once. Its states:
//
//   waiting ──(due, and claimed by a worker)──▶ fanning ──(last page committed)──▶ fanned ──(last batch acknowledged)──▶ done
//   waiting, fanning, fanned ──(cancel)──▶ cancelled
//
// The worker that claimed a send walks its recipient and stores it as batches, page by page. A page and the cursor behind
// it are committed together, so a worker that is killed anywhere has neither lost a batch nor stored one twice. The
// targets of a batch are lines, or a range of devices that the worker of the batch reads from the device table.
//
// A batch is claimed under a lease, sent, and acknowledged with its remainder: retries, which are new batches with a
// delay, and targets given up, which become dead letters. An abandoned batch is claimed again like any other. A recovered
// range is read again: devices that unsubscribed are left out, new subscribers in the range are included.
//
// Every claim has a fence. A worker that lost its claim (killed, stopped, too slow) has an outdated fence: its commits and
// acknowledgements answer 'lost' and change nothing. All times are the store's clock.
//
// Promise: at least once. An accepted send is kept until its targets are delivered, given up, expired or cancelled.
// A call that rejects may have been executed nevertheless, and may be repeated: no repetition stores anything twice.
import type { ProviderName } from '../config/provider-names.ts'
import type { BatchClaim, ClaimKey, Progress, Remainder } from './batch.ts'
import type { DeadLetter, DeadLetterFilter } from './dead-letter.ts'
import type { Lane } from './lane.ts'
import type { CommitResult, Exclusion, Page, Send, SendClaim, StoredSend } from './send.ts'

/** A provider whose batches are not claimed. They are kept. */
export interface Pause {
  provider: ProviderName
  reason: string
  /** Milliseconds until the next probe; undefined: none before `resume`. */
  probeInMs: number | undefined
}

/** Counts of the queue at one moment. */
export interface QueueStats {
  /** Batches that can be claimed, and batches that are claimed. */
  waiting: ReadonlyMap<ProviderName, number>
  inFlight: ReadonlyMap<ProviderName, number>
  /** Sends whose time has not come. */
  scheduled: number
  /** Age in ms of the batch that has been waiting longest; 0 when none is waiting. */
  oldestMs: number
  /** Dead letters, each of one or more targets. */
  deadLetters: number
  pauses: readonly Pause[]
}

/** The queue, on PostgreSQL or Redis. */
export interface Queue {
  /** Settings of the store that can lose accepted sends: a sentence each, with the setting to change. */
  findRisks(): Promise<string[]>

  /**
   * Stores a send, and with `page` its first batches in the same transaction.
   * 'duplicate': the same request was accepted under this uid before, and is not sent again. 'conflict': another request
   * was. 'full': too many jobs are waiting; nothing was stored. A send whose uid was cancelled before is accepted and not sent.
   */
  enqueue(send: Send, page?: Page): Promise<'accepted' | 'duplicate' | 'conflict' | 'full'>

  /** Cancels all targets that were not handed to a provider. An unknown uid is remembered for 10 minutes. */
  cancel(uid: string): Promise<void>

  /** Cancels single targets that were not handed to a provider. 'full': the send has 100,000 exclusions. */
  exclude(uid: string, exclusion: Exclusion): Promise<'excluded' | 'full'>

  /** Claims up to `limit` sends of a lane that are due for fan-out, the longest due first. */
  claimSends(lane: Lane, limit: number): Promise<SendClaim[]>

  /** Stores the page after `claim.cursor` and moves the cursor, both or neither. Extends the lease, also when 'full'. */
  commitPage(claim: SendClaim, page: Page): Promise<CommitResult>

  /** Extends the lease of a walk. */
  extendWalk(claim: SendClaim): Promise<'extended' | 'lost'>

  /** Releases a walk that is not finished; it can be claimed at once. */
  releaseSend(claim: SendClaim): Promise<void>

  /** Claims up to `limit` batches of a lane, the longest waiting first; of a paused provider at most one, as a probe. */
  claimBatches(lane: Lane, providers: readonly ProviderName[], limit: number): Promise<BatchClaim[]>

  /** Loads a send for its batches; undefined once it has ended. */
  loadSend(uid: string): Promise<StoredSend | undefined>

  /** Finds the cancelled sends among these: 'all' as a whole, 'some' in single targets (see `findExcluded`). */
  findCancelled(uids: readonly string[]): Promise<ReadonlyMap<string, 'all' | 'some'>>

  /** Tells for each of these targets of a send, in order, whether it is excluded. */
  findExcluded(uid: string, targets: readonly { user: string; deviceId: string }[]): Promise<boolean[]>

  /** Extends the leases of `claims`; resolves to the ids of lost ones. */
  extend(claims: readonly ClaimKey[]): Promise<ReadonlySet<string>>

  /** Stores the progress of batches, for the next claim if the lease ends. Lost claims are ignored. */
  checkpoint(progress: readonly Progress[]): Promise<void>

  /** Ends a batch and stores its remainder, both or neither. */
  acknowledge(claim: ClaimKey, remainder: Remainder): Promise<'acknowledged' | 'lost'>

  /** Releases claims whose targets were not sent: claimable at once, no attempt counted. */
  release(claims: readonly ClaimKey[]): Promise<void>

  /** Stops the claims of a provider's batches, except for a probe each `probeEveryMs`. A pause without probes stays one. */
  pause(provider: ProviderName, reason: string, probeEveryMs: number | undefined): Promise<void>

  /** Ends the pause of a provider. */
  resume(provider: ProviderName): Promise<void>

  /** Lists dead letters, the oldest first. @param after the id of the last one of the page before */
  listDeadLetters(filter: DeadLetterFilter, limit: number, after?: string): Promise<DeadLetter[]>

  /** Sends dead letters again, as if for the first time; resolves to the number of targets. */
  retryDeadLetters(filter: DeadLetterFilter): Promise<number>

  /** Deletes dead letters; resolves to the number of targets. */
  deleteDeadLetters(filter: DeadLetterFilter): Promise<number>

  /** Resolves when there may be work in `lane`, after `timeoutMs` at the latest, or when `signal` aborts. Never rejects. */
  waitForWork(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<void>

  stats(): Promise<QueueStats>

  close(): Promise<void>
}
