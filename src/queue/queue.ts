// The contract of the queue, which fan-out fills with batches and delivery empties.
//
// A send is stored once. Its states:
//
//   waiting ──(due, claimed)──▶ fanning ──(last page committed)──▶ fanned ──(last batch acknowledged)──▶ done
//   waiting, fanning, fanned ──(cancel)──▶ cancelled
//
// A worker claims a send, walks its recipient and stores it as batches, page by page. A page and the cursor behind it
// are committed together, so the kill of a worker neither loses a batch nor stores one twice. The targets of a batch
// are lines, or a range of devices, which the worker of the batch reads from the device table.
//
// A worker claims a batch with a lease, sends it, and acknowledges it with its remainder: retries become new batches
// with a delay, and targets given up become dead letters. An abandoned batch is claimed again like any other. Its range
// is read again: unsubscribed devices are skipped, new subscribers are included.
//
// Each claim has a fence. The fence of a lost claim (worker killed, stopped or too slow) is outdated: its commits and
// acknowledgements return 'lost' and change nothing. All times are the store's clock.
//
// Delivery is at least once. An accepted send is kept until its targets are delivered, given up, expired or cancelled.
// A call that rejects may have been executed nevertheless. It may be repeated: no repetition stores anything twice.
import type { ProviderName } from '../config/provider-names.ts'
import type { BatchClaim, ClaimKey, ClaimState, Progress, Remainder } from './batch.ts'
import type { DeadLetter, DeadLetterFilter } from './dead-letter.ts'
import type { Lane } from './lane.ts'
import type { CommitResult, Exclusion, Page, Send, SendClaim, StoredSend } from './send.ts'

/** A paused provider. Its batches are kept and not claimed. */
export interface Pause {
  provider: ProviderName
  /** The cause, for the operator. */
  reason: string
  /** Milliseconds until the next probe; undefined: there are no probes before `resume`. */
  probeInMs: number | undefined
}

/** Counts of the queue at one moment. */
export interface QueueStats {
  /** The number of batches that can be claimed. */
  waiting: ReadonlyMap<ProviderName, number>
  /** The number of claimed batches. */
  inFlight: ReadonlyMap<ProviderName, number>
  /** Sends with a `send_at` in the future. */
  scheduled: number
  /** The age in ms of the oldest waiting batch; 0 without waiting batches. */
  oldestMs: number
  /** Dead letters, each of one or more targets. */
  deadLetters: number
  /** The paused providers. */
  pauses: readonly Pause[]
}

/** The queue, on PostgreSQL or Redis. */
export interface Queue {
  /** Finds settings of the store that can lose accepted sends: a sentence for each, with the setting to change. */
  findRisks(): Promise<string[]>

  /**
   * Stores a send, and with `page` its batches in the same transaction. 'duplicate': the same request was accepted
   * under this uid before, and is not sent again. 'conflict': another request was accepted under this uid. 'full': too
   * many jobs are waiting, and nothing was stored. If the uid was cancelled before, the send is accepted and not sent.
   */
  enqueue(send: Send, page?: Page): Promise<'accepted' | 'duplicate' | 'conflict' | 'full'>

  /** Cancels all targets that were not handed to a provider. For an unknown uid this is kept for 10 minutes. */
  cancel(uid: string): Promise<void>

  /** Cancels single targets that were not handed to a provider. 'full': the send has 100,000 exclusions. */
  exclude(uid: string, exclusion: Exclusion): Promise<'excluded' | 'full'>

  /** Claims up to `limit` sends of a lane for fan-out, in the order in which they became due. */
  claimSends(lane: Lane, limit: number): Promise<SendClaim[]>

  /** Stores the page after `claim.cursor` and moves the cursor, both or neither. Extends the lease, also if 'full'. */
  commitPage(claim: SendClaim, page: Page): Promise<CommitResult>

  /** Extends the lease of a walk. */
  extendWalk(claim: SendClaim): Promise<'extended' | 'lost'>

  /** Releases a walk that is not finished; it can be claimed at once. */
  releaseSend(claim: SendClaim): Promise<void>

  /** Claims up to `limit` batches of a lane, the oldest first; of a paused provider at most one, as a probe. */
  claimBatches(lane: Lane, providers: readonly ProviderName[], limit: number): Promise<BatchClaim[]>

  /** Loads a send for its batches; undefined once it has ended. */
  loadSend(uid: string): Promise<StoredSend | undefined>

  /** Resolves to whether each of these targets of a send is excluded, in their order. */
  findExcluded(uid: string, targets: readonly { user: string; deviceId: string }[]): Promise<boolean[]>

  /**
   * Resolves to the state of each claim, in their order, after the beginning of the call. Extends the leases that were
   * not extended for `extendAfterMs`: each claim that is not lost is valid for the time of a lease without them.
   */
  confirm(claims: readonly ClaimKey[], extendAfterMs: number): Promise<ClaimState[]>

  /** Stores the progress of batches, for the next claim if the lease ends. Lost claims are ignored. */
  checkpoint(progress: readonly Progress[]): Promise<void>

  /** Ends a batch and stores its remainder, both or neither. */
  acknowledge(claim: ClaimKey, remainder: Remainder): Promise<'acknowledged' | 'lost'>

  /** Releases the claims of unsent batches: they can be claimed at once, and no attempt is counted. */
  release(claims: readonly ClaimKey[]): Promise<void>

  /** Pauses a provider, with a probe each `probeEveryMs`. A pause without probes is not replaced by one with probes. */
  pause(provider: ProviderName, reason: string, probeEveryMs: number | undefined): Promise<void>

  /** Ends the pause of a provider. */
  resume(provider: ProviderName): Promise<void>

  /** Lists dead letters, the oldest first. @param after the id of the last dead letter of the page before */
  listDeadLetters(filter: DeadLetterFilter, limit: number, after?: string): Promise<DeadLetter[]>

  /** Turns dead letters into batches without attempts; resolves to the number of targets. */
  retryDeadLetters(filter: DeadLetterFilter): Promise<number>

  /** Deletes dead letters; resolves to the number of targets. */
  deleteDeadLetters(filter: DeadLetterFilter): Promise<number>

  /** Resolves when there may be work in `lane`, after `timeoutMs`, or when `signal` aborts. Never rejects. */
  waitForWork(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<void>

  /** Counts the work in the queue. */
  stats(): Promise<QueueStats>

  /** Stops the upkeep and the announcements, and closes the connections that belong to the queue alone. */
  close(): Promise<void>
}
