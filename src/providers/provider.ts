// The door of this room: what delivery knows of a provider.
import type { ProviderName } from '../config/provider-names.ts'
import type { BodyWriter } from '../http2/http2-client.ts'

/** What a provider said about one target. Only these: delivery must be able to act on each. */
export type Outcome =
  | { kind: 'sent'; messageId: string }
  /**
   * Worth another try. `afterMs`: not earlier than the provider asked for (Retry-After). `minDelayMs`: not earlier than
   * its documentation asks for. `maybeDelivered`: the request went out and no answer came, so the phone may have it.
   */
  | { kind: 'retry'; reason: string; afterMs?: number; minDelayMs?: number; maybeDelivered?: boolean }
  /** The provider calls the token dead; `sinceMs` (Unix time in ms) where it says since when. */
  | { kind: 'tokenGone'; reason: string; sinceMs?: number }
  | { kind: 'rejected'; reason: string }
  /** Our credential is refused: it says nothing about the target. The provider pauses, the work is kept. */
  | { kind: 'credential'; reason: string }

/** The notification as each target gets it. The same target gets the same each time. */
export interface Personal {
  /** Prepares JSON that is the notification's or part of it; the result writes it for the target at `index`. */
  prepareJson(json: Buffer): (index: number, body: BodyWriter) => void
  /** The headers for the target at `index`. */
  headersOf(index: number): ReadonlyMap<string, string>
}

/** What all targets of a batch are: devices' tokens, or topics or conditions that the provider resolves itself. */
export type TargetKind = 'token' | 'topic' | 'condition'

/** The bytes of the request's `message` or `payload`, a JSON object as the caller wrote it, and the headers it gave. */
export interface Notification {
  json: Buffer
  headers: ReadonlyMap<string, string>
}

/** One send's notification for some of its targets. */
export interface Batch {
  /** The `uid` of the send. */
  uid: string
  notification: Notification
  targetKind: TargetKind
  targets: readonly string[]
  /** Web Push only: what encrypts for each target, `{"p256dh":"…","auth":"…"}`; the target is the endpoint. */
  keys?: readonly string[]
  /** Where each target gets its own: `notification` is the template then, which nobody gets as it stands. */
  personal?: Personal | undefined
  /**
   * Whether the target was cancelled meanwhile: asked before its request is sent, which is not any more then. The
   * target stays unsettled.
   */
  isWithdrawn?: ((index: number) => boolean) | undefined
}

export type Settle = (index: number, outcome: Outcome) => void

export interface Provider {
  /** The provider it serves; the sandbox carries the name of the one it stands in for. */
  readonly name: ProviderName

  /** Whether it takes batches with `personal`. Who doesn't gets them rendered, a target at a time. */
  readonly takesPersonal?: boolean

  /**
   * Sends one batch. Calls `settle` exactly once per target, in any order, by the target's index;
   * returns when all are settled or `signal` aborts, after which the rest is unsettled and may be sent again.
   */
  send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void>

  /** Lets open streams finish, then closes connections. Safe to call twice. */
  close(): Promise<void>
}
