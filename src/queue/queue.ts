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
// Each claim has a fence, a number that the next claim changes. So the fence of a lost claim (worker killed, stopped or
// too slow) is outdated: its commits and acknowledgements return 'lost' and change nothing. All times are the store's
// clock.
//
// Delivery is at least once. An accepted send is kept until its targets are delivered, given up, expired or cancelled.
// A call that rejects may have been executed nevertheless. It may be repeated: no repetition stores anything twice. The
// writes that an API or an operator asks for (`enqueue`, `cancel`, `exclude`, pauses, dead letters) are not executed
// after they have rejected for lack of an answer: the store refuses them by its own clock.
import type { ProviderName } from '../config/provider-names.ts'
import type { AckRule } from '../sends/ack-rule.ts'
import type { BatchClaim, ClaimKey, ClaimState, Progress, Remainder } from './batch.ts'
import type { DeadLetter, DeadLetterCount, DeadLetterFilter } from './dead-letter.ts'
import type { Lane, WorkKind } from './lane.ts'
import type { ReportFilter, ReportPage, SendReport, StatusCount } from './report.ts'
import type { CommitResult, Exclusion, Page, Send, SendClaim, StoredSend } from './send.ts'

/** The pause of a provider. Batches of a paused provider are kept and not claimed. */
export interface Pause {
  provider: ProviderName
  /** The cause of the pause, for the operator. */
  reason: string
  /** Milliseconds until one batch may be sent as a probe; undefined: no batch is sent until `resume` ends the pause. */
  probeInMs: number | undefined
}

/** The work of one lane. */
export interface LaneStats {
  /** The number of batches that can be claimed. */
  waiting: number
  /** The number of claimed batches. */
  inFlight: number
  /** The age of the oldest waiting batch in ms; 0 if no batch is waiting. */
  oldestMs: number
}

/** Counts of the queue at one moment. */
export interface QueueStats {
  /** The number of batches of each provider that can be claimed. */
  waiting: ReadonlyMap<ProviderName, number>
  /** The number of claimed batches of each provider. */
  inFlight: ReadonlyMap<ProviderName, number>
  /** The same batches by lane. */
  lanes: Readonly<Record<Lane, LaneStats>>
  /** The number of batches for a later time: retries, and pushes that wait for their hours or for a limit. */
  delayed: number
  /** The number of sends with a `send_at` in the future. PostgreSQL estimates it if there are more than a thousand. */
  scheduled: number
  /** The age of the oldest waiting batch in ms; 0 if no batch is waiting. */
  oldestMs: number
  /** The number of dead letters. Each has one or more targets. */
  deadLetters: number
  /** The paused providers. */
  pauses: readonly Pause[]
}

/** The queue, on PostgreSQL or Redis. */
export interface Queue {
  /**
   * Finds settings of the store that can lose accepted sends. Resolves to a sentence for each, which names the setting
   * to change.
   */
  findRisks(): Promise<string[]>

  /**
   * Stores a send, and with `page` its batches in the same transaction. 'duplicate': the same request was accepted
   * under this uid before, and is not sent again. 'conflict': another request was accepted under this uid. 'full': too
   * many jobs are waiting. 'tooManyScheduled': too many scheduled sends are. 'outOfMemory': the store has no memory
   * left. In these three cases nothing was stored. If the uid was cancelled before, the send is accepted and not sent.
   */
  enqueue(
    send: Send,
    page?: Page,
  ): Promise<'accepted' | 'duplicate' | 'conflict' | 'full' | 'tooManyScheduled' | 'outOfMemory'>

  /**
   * Cancels all targets of a send that were not handed to a provider yet. The cancellation of an unknown uid is kept
   * for 10 minutes, because its send may arrive later.
   */
  cancel(uid: string): Promise<void>

  /**
   * Excludes the targets that `exclusion` names from a send, unless they were handed to a provider. The exclusion for
   * an unknown uid is kept for 10 minutes, because its send may arrive later. 'full': the send already has 100,000
   * exclusions.
   */
  exclude(uid: string, exclusion: Exclusion): Promise<'excluded' | 'full'>

  /** Claims up to `limit` sends of a lane for fan-out; the send that became due first is claimed first. */
  claimSends(lane: Lane, limit: number): Promise<SendClaim[]>

  /**
   * Stores the batches of the page after `claim.cursor` and moves the cursor, both or neither. Extends the lease, even
   * if the result is 'full'.
   */
  commitPage(claim: SendClaim, page: Page): Promise<CommitResult>

  /** Extends the lease of a claimed send during its fan-out. */
  extendWalk(claim: SendClaim): Promise<'extended' | 'lost'>

  /** Releases the claim of a send before its fan-out is finished. The send can be claimed again at once. */
  releaseSend(claim: SendClaim): Promise<void>

  /**
   * Claims up to `limit` batches of a lane, the oldest first. Of a paused provider it claims at most one, which probes
   * whether the provider works again.
   * @param leastWaitMs batches that have waited for less are left to other workers, unless an older one of their
   *   provider is claimed; 0 by default
   */
  claimBatches(
    lane: Lane,
    providers: readonly ProviderName[],
    limit: number,
    leastWaitMs?: number,
  ): Promise<BatchClaim[]>

  /** Loads the parts of a send that delivery needs; undefined if the send has ended. */
  loadSend(uid: string): Promise<StoredSend | undefined>

  /**
   * Tells for each of these targets of a send, in their order, whether it is excluded.
   * @param rule the acks that count for the send
   */
  findExcluded(uid: string, targets: readonly { user: string; deviceId: string }[], rule: AckRule): Promise<boolean[]>

  /**
   * Reads for each of these claims of batches, in their order, whether it is lost, and which cancellations and
   * exclusions were stored before the call. Extends the leases that were not extended for `extendAfterMs`. A claim that
   * is not lost is valid for at least the time of a lease minus `extendAfterMs`, counted from the call.
   */
  confirm(claims: readonly ClaimKey[], extendAfterMs: number): Promise<ClaimState[]>

  /**
   * Stores which targets of claimed batches are finished, so that a worker that reclaims them does not send these
   * again and can count them. Lost claims are ignored.
   */
  checkpoint(progress: readonly Progress[]): Promise<void>

  /**
   * Ends a batch, stores its remainder (retries and dead letters), and counts its targets in the report of its send:
   * all or nothing, and once.
   */
  acknowledge(claim: ClaimKey, remainder: Remainder): Promise<'acknowledged' | 'lost'>

  /** Releases the claims of batches that were not sent: they can be claimed at once, and no attempt is counted. */
  release(claims: readonly ClaimKey[]): Promise<void>

  /**
   * Pauses a provider. Every `probeEveryMs` one batch may be claimed, to probe whether the provider works again;
   * undefined: never. A pause without probes is not replaced by one with probes.
   */
  pause(provider: ProviderName, reason: string, probeEveryMs: number | undefined): Promise<void>

  /** Ends the pause of a provider. */
  resume(provider: ProviderName): Promise<void>

  /**
   * Lists up to `limit` dead letters, the oldest first.
   * @param after the id of the last dead letter of the previous page
   */
  listDeadLetters(filter: DeadLetterFilter, limit: number, after?: string): Promise<DeadLetter[]>

  /** Counts dead letters and their targets. */
  countDeadLetters(filter: DeadLetterFilter): Promise<DeadLetterCount>

  /** Turns dead letters into batches without earlier attempts; resolves to the number of their targets. */
  retryDeadLetters(filter: DeadLetterFilter): Promise<number>

  /** Deletes dead letters; resolves to the number of their targets. */
  deleteDeadLetters(filter: DeadLetterFilter): Promise<number>

  /**
   * Loads the report of a send; undefined if no send was accepted under the uid, or if its report was deleted. If the
   * uid was used again, it is the report of the last send.
   */
  loadReport(uid: string): Promise<SendReport | undefined>

  /**
   * Lists up to `limit` reports, the latest accepted first. A page may have fewer and still a next page, because a call
   * reads at most 10,000 reports to find those that match.
   * @param cursor `nextCursor` of the previous page
   * @throws ReportCursorError
   */
  listReports(filter: ReportFilter, limit: number, cursor?: string): Promise<ReportPage>

  /** Adds apps' reports to the reports of sends. Those of unknown sends are ignored. A repetition adds them again. */
  countStatuses(counts: readonly StatusCount[]): Promise<void>

  /**
   * Resolves when there may be work in `lane`, after `timeoutMs`, or when `signal` aborts; to true only at an
   * announcement. Never rejects.
   * @param only the kind of work; by default all kinds. PostgreSQL does not tell the kinds apart
   */
  waitForWork(lane: Lane, timeoutMs: number, signal: AbortSignal, only?: WorkKind): Promise<boolean>

  /**
   * Resolves to the ms until work in `lane` becomes due without an announcement: a scheduled send, a retry, a probe, an
   * abandoned claim. 0 or less: at any moment, also because announcements are not heard. Infinity: there is none.
   * @param providers only batches of these providers count
   */
  untilDue(lane: Lane, providers: readonly ProviderName[]): Promise<number>

  /** Counts the waiting and claimed work, the dead letters and the pauses. */
  stats(): Promise<QueueStats>

  /** Stops the queue's periodic upkeep and its announcements, and closes the connections that only the queue uses. */
  close(): Promise<void>
}
