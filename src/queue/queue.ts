// The door of this room: the contract that push (which writes) and delivery (which works) have with the queue.
//
// A send is stored once. Its life:
//
//   waiting ──(due, and a worker claims it)──▶ fanning ──(its last page is committed)──▶ fanned ──(its last batch is
//   acknowledged)──▶ done.   From each of the first three: cancel ──▶ cancelled.
//
// The worker that claimed a send walks its recipients and writes them as batches, page by page. A page and the cursor
// behind it are committed together, so a worker killed anywhere has neither lost a batch nor written one twice.
// A batch is claimed under a lease, sent, and acknowledged with what remains: targets to retry, and those given up,
// which are dead letters from then on.
//
// Where a send allows it and the store can, the worker that reads a page takes its batches at once, and the store keeps
// of them only which devices they are (`TakenPages`): nothing is written that the same worker would read again.
//
// Every claim carries a fence. Who lost a claim (killed, stopped, too slow) finds the fence moved on: what it still
// commits or acknowledges answers 'lost' and changes nothing. All times are the store's clock, never a worker's.
//
// Promise: at least once. What `enqueue` accepted is kept until it is acknowledged, given up, expired or cancelled.
// A call that rejects may have done its work all the same, and may be repeated: no repetition writes anything twice.
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
  /** Values of Web Push are as joinSubscription() makes them (targets.ts). */
  | { kind: 'native'; provider: ProviderName; targetKind: TargetKind; values: readonly string[] }

/** One provider's part of a notification: its JSON, byte for byte as the caller wrote it, and its headers. */
export interface QueuedNotification {
  json: Buffer
  headers: ReadonlyMap<string, string>
}

/** What makes a send's notifications differ from target to target. */
export interface Templating {
  /** Whether a template names the meta of its device: targets come with it. */
  usesMeta: boolean
  /** Texts by name for each locale. Where there are any, targets come with their locale. */
  localizations: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/** Hours of the day in which a device is sent to, by its own clock. */
export interface TimeLimit {
  /** Milliseconds of the local day from which on, and before which. */
  afterMs: number
  beforeMs: number
  /** A device without a time zone is sent to at once; otherwise never. */
  sendsWithoutZone: boolean
}

/** How often pushes may be sent that have something in common. */
export interface RateLimit {
  /** What they have in common: texts, and what of a device stands between them. */
  key: readonly (string | { variable: 'id' | 'user' })[]
  /** All of them have to allow a push. */
  policies: readonly { rate: number; intervalMs: number }[]
  /** What exceeds them is dropped; otherwise it waits. */
  isDropped: boolean
}

/** What is sent; stored once for all batches of a send. */
export interface SendContent {
  notifications: ReadonlyMap<ProviderName, QueuedNotification>
  analyticsUid: string
  /** The request's `optimize_for_reliability`: what was sent is noted while a batch is still being sent. */
  isReliable: boolean
  /** Undefined: all targets get the same. */
  templating?: Templating | undefined
  /** Targets of a send that has one come with their time zone. */
  timeLimit?: TimeLimit | undefined
  rateLimit?: RateLimit | undefined
}

/** Small sends have a lane of their own, so that they never wait behind a broadcast. */
export const LANES = ['small', 'broadcast'] as const
export type Lane = (typeof LANES)[number]

/** Where a process takes work from. */
export interface Duty {
  lanes: readonly Lane[]
  /** Those of them in which another process comes first: they are looked at now and then, for what that one leaves. */
  reserve: readonly Lane[]
}

/** Of a process that does everything. */
export const FULL_DUTY: Duty = { lanes: LANES, reserve: [] }

export interface Send {
  uid: string
  /** Tells a repeated request (same hash) from another one under the same `uid`. SHA-256, 32 bytes. */
  requestHash: Buffer
  lane: Lane
  /** Unix time in ms before which nothing is sent; undefined is at once. */
  sendAtMs: number | undefined
  /** Unix time in ms after which no attempt is made. */
  expireAtMs: number | undefined
  recipient: Recipient
  content: SendContent
  /** Its pages need not be written: read again from the devices they would be as good. See `TakenPages`. */
  takesPages: boolean
}

/** Some targets of a send as the queue keeps them: references, never a rendered payload. */
export interface TargetLines {
  /** A line each, parted by line feeds (targets.ts). */
  lines: string
  /** How many lines. */
  count: number
}

/** One provider, one send, up to the provider's batch size of targets. */
export interface NewBatch extends Omit<TargetLines, 'lines'> {
  /** The lines in UTF-8: bytes as the device store wrote them, which nobody reads before the batch is claimed. */
  lines: Buffer
  provider: ProviderName
  lane: Lane
  targetKind: TargetKind
  /** Milliseconds before it may be claimed; at once unless given. It stands in nobody's way until then. */
  delayMs?: number
}

/** What is left of a batch after an attempt, to be claimed again after a delay. */
export interface Retry extends TargetLines {
  delayMs: number
  /** Attempts of these targets that may have been delivered although no answer came. */
  ambiguousAttempts: number
  /** They were kept waiting, not refused: attempts and their age are counted anew from the next claim on. */
  startsOver?: boolean
}

/** Targets that are not tried again. */
export interface GivenUp extends TargetLines {
  /** The last answer: a provider's error code, or a word of ours. */
  reason: string
}

/** The right to walk a send's recipients, until the lease ends or the fence moves. */
export interface SendClaim {
  uid: string
  lane: Lane
  recipient: Recipient
  content: SendContent
  fence: number
  /** What the last committed page left, undefined at the start: where to go on. */
  cursor: string | undefined
}

/** The right to send a batch, until the lease ends or the fence moves. */
export interface BatchClaim extends Omit<NewBatch, 'delayMs' | 'lines'> {
  /** A line for each target (targets.ts). */
  lines: string[]
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
  /** Single targets of the send were cancelled: ask `findDropped` before sending. */
  hasDrops: boolean
  /** What an earlier attempt noted as settled (`checkpoint`): a bit for each line, the first line's the lowest of byte 0. */
  settled: Uint8Array | undefined
  /** The provider is paused and this batch finds out whether it may go on. */
  isProbe: boolean
  /** Comes along where that spares a call: with small sends, whose content is read once. */
  content?: SendContent
}

/** A batch being sent, and which of its targets have reached their end. */
export interface Progress {
  claim: BatchClaim
  /** As `BatchClaim.settled`. */
  settled: Uint8Array
}

/** A page of a fan-out: its batches, and where the next one starts; undefined ends the walk. */
export interface Page {
  batches: readonly NewBatch[]
  cursor: string | undefined
}

/** 'lost': the claim is not ours any more (lease over, or cancelled). 'full': back-pressure, try the same page later. */
export type CommitResult = 'committed' | 'full' | 'lost'

/** Devices in the order of their ids, as lines name them: those after one and up to another. */
export interface DeviceRange {
  /** Undefined: from the first. */
  after: string | undefined
  /** Undefined: to the last. */
  until: string | undefined
}

/** The right to read a page and to make batches of it, until the lease ends. */
export interface PageClaim {
  id: string
  uid: string
  fence: number
  range: DeviceRange
}

/** A page, or a batch of one, that was taken by a worker which died, or which gave it back. */
export interface LostPart extends PageClaim {
  /** Of a batch; undefined is a page. */
  batch: { provider: ProviderName; count: number } | undefined
  /** What its send says; undefined when that was cancelled or is forgotten. */
  send: { recipient: Recipient; content: SendContent } | undefined
}

/**
 * Pages of broadcasts whose batches belong to the worker that reads them. The store keeps the range of devices that a page
 * has, and then those that its batches have, which are claimed like others, from their first moment on.
 */
export interface TakenPages {
  /** Claims, of the sends that take pages, the one that has been due for longest. */
  claimSend(): Promise<SendClaim | undefined>

  /** Gives the claim of a send back; another worker goes on at once. */
  releaseSend(claim: SendClaim): Promise<void>

  /**
   * Takes the page after `claim.cursor` up to the device `until` (undefined: the last page), moves the cursor, and gives the
   * walk back, so that another worker can take the next page while this one is read: all or nothing.
   */
  takePage(claim: SendClaim, until: string | undefined): Promise<PageClaim | 'lost'>

  /**
   * Puts its batches in the place of a page: they are claimed, but for those of a paused provider, which are written. 'full'
   * when too many of them wait: then the page is a lost one after a second, and no other of the send is taken before it is
   * restored.
   */
  openPage(page: PageClaim, batches: readonly NewBatch[]): Promise<BatchClaim[] | 'full' | 'lost'>

  /** Gives a page back that can't be read now: it is lost from then on. */
  releasePage(page: PageClaim): Promise<void>

  /** Claims up to `limit` pages and as many batches that were lost, those first that were lost first. */
  claimLost(limit: number): Promise<LostPart[]>

  /**
   * Writes what was lost as `batches`, for anyone to claim. The attempts of a batch go on. 'full' when a provider of a page has
   * too many batches waiting: then it is lost again after a second.
   */
  restore(lost: LostPart, batches: readonly NewBatch[]): Promise<'restored' | 'full' | 'lost'>

  /** As `Queue.waitForWork`, for `claimSend`. */
  waitForSend(timeoutMs: number, signal: AbortSignal): Promise<void>
}

/** Whom to leave out of a send: a user's devices, one device, or with both that device if it is that user's. */
export interface Drop {
  /** Empty: any user's. */
  user: string
  /** As the targets' lines have it; empty: any device. */
  deviceId: string
}

/** A provider that nothing is sent to for now. Its work is kept. */
export interface Pause {
  provider: ProviderName
  reason: string
  /** Milliseconds until one batch may try again; undefined: not before `resume`. */
  probeInMs: number | undefined
}

export interface DeadLetter extends TargetLines {
  id: string
  uid: string
  provider: ProviderName
  reason: string
  attempts: number
  /** Unix time in ms. */
  givenUpAtMs: number
}

/** Which dead letters; fields left out mean any. */
export interface DeadLetterFilter {
  ids?: readonly string[]
  uid?: string
  provider?: ProviderName
}

export interface QueueStats {
  /** Batches that could be claimed now, and those claimed. */
  waiting: ReadonlyMap<ProviderName, number>
  inFlight: ReadonlyMap<ProviderName, number>
  /** Sends whose time has not come. */
  scheduled: number
  /** Age in ms of the oldest batch that waits; 0 when none does. */
  oldestMs: number
  /** Batches of targets that were given up. */
  deadLetters: number
  pauses: readonly Pause[]
}

export interface Queue {
  /** What of the store's own settings can lose work, a sentence each that says what to change. */
  findRisks(): Promise<string[]>

  /**
   * Stores a send, and with `page` its first batches in the same step: a small send is on its way when this returns.
   * 'duplicate': the same request was accepted under this uid before, nothing is sent again. 'conflict': another one was.
   * 'full': too many jobs wait, nothing was stored. A send whose uid was cancelled beforehand is accepted and not sent.
   */
  enqueue(send: Send, page?: Page): Promise<'accepted' | 'duplicate' | 'conflict' | 'full'>

  /** Stops what has not been handed to a provider. An unknown uid is remembered for 10 minutes. */
  cancel(uid: string): Promise<void>

  /** Leaves one user or device out of what has not been handed to a provider. 'full': a send has 100,000 of these. */
  drop(uid: string, drop: Drop): Promise<'dropped' | 'full'>

  /** Undefined where the store can't: then all pages are written. */
  readonly takenPages: TakenPages | undefined

  /** Claims up to `limit` sends of a lane that are due for fan-out, those due for longest first; none that `takenPages` has. */
  claimSends(lane: Lane, limit: number): Promise<SendClaim[]>

  /** Writes the page after `claim.cursor` and moves the cursor, both or neither. Extends the lease, also when 'full'. */
  commitPage(claim: SendClaim, page: Page): Promise<CommitResult>

  /** Extends the lease of a walk, for a page that takes long to read. */
  extendWalk(claim: SendClaim): Promise<'extended' | 'lost'>

  /** Gives a send back that was not walked to its end; another worker goes on at once. */
  releaseSend(claim: SendClaim): Promise<void>

  /** Claims up to `limit` batches of a lane, those waiting longest first; of a paused provider at most a probe. */
  claimBatches(lane: Lane, providers: readonly ProviderName[], limit: number): Promise<BatchClaim[]>

  /** What a batch's send has to say; undefined once that has ended. */
  loadContent(uid: string): Promise<SendContent | undefined>

  /** Which of these sends were cancelled: as a whole, or 'some' targets of them (ask `findDropped`). */
  findCancelled(uids: readonly string[]): Promise<ReadonlyMap<string, 'all' | 'some'>>

  /** For each of a send's targets, in their order, whether it was dropped. */
  findDropped(uid: string, targets: readonly { user: string; deviceId: string }[]): Promise<boolean[]>

  /** Extends the leases of `claims`; resolves to the ids of those that are lost. */
  extend(claims: readonly BatchClaim[]): Promise<ReadonlySet<string>>

  /** Notes which targets have been settled, for whoever claims the batch should its worker die. 'lost' is not told. */
  checkpoint(progress: readonly Progress[]): Promise<void>

  /** Removes the batch and stores what is to be retried and what was given up, all or nothing. */
  acknowledge(
    claim: BatchClaim,
    left: { retries: readonly Retry[]; givenUp: readonly GivenUp[] },
  ): Promise<'acknowledged' | 'lost'>

  /** Gives claims back unsent, claimable at once and without counting an attempt. */
  release(claims: readonly BatchClaim[]): Promise<void>

  /** Claims nothing more of a provider, but a probe each `probeEveryMs`. A pause without probes is not weakened by one. */
  pause(provider: ProviderName, reason: string, probeEveryMs: number | undefined): Promise<void>

  /** Ends the pause of a provider; its work goes on at once. */
  resume(provider: ProviderName): Promise<void>

  /** Dead letters, the oldest first. `after`: the id of the last one of the page before. */
  listDeadLetters(filter: DeadLetterFilter, limit: number, after?: string): Promise<DeadLetter[]>

  /** Sends dead letters again, as if for the first time; resolves to how many targets. */
  retryDeadLetters(filter: DeadLetterFilter): Promise<number>

  /** Forgets dead letters; resolves to how many targets. */
  dropDeadLetters(filter: DeadLetterFilter): Promise<number>

  /** Resolves when there may be work in `lane`, after `timeoutMs` at the latest, or when `signal` aborts. Never rejects. */
  waitForWork(lane: Lane, timeoutMs: number, signal: AbortSignal): Promise<void>

  stats(): Promise<QueueStats>

  close(): Promise<void>
}
