// The contract between delivery and the providers. Other rooms import only this file.
import type { ProviderName } from '../config/provider-names.ts'
import type { BodyWriter, Confirmation } from '../http2/http2-client.ts'
import type { Notification } from '../sends/notification.ts'
import type { TargetKind } from '../sends/recipient.ts'

/** The result of one target's attempt. There are only these kinds, because delivery acts on each of them. */
export type Outcome =
  | { kind: 'sent'; messageId: string }
  /**
   * Another attempt may succeed. `afterMs`: the delay that the provider asked for (Retry-After). `minDelayMs`: the
   * shortest delay by its documentation. `maybeDelivered`: the attempt was ambiguous, so the device may have the push.
   */
  | { kind: 'retry'; reason: string; afterMs?: number; minDelayMs?: number; maybeDelivered?: boolean }
  /** A dead token; since `sinceMs` (Unix time in ms), if the provider tells the time. */
  | { kind: 'tokenGone'; reason: string; sinceMs?: number }
  | { kind: 'rejected'; reason: string }
  /**
   * The provider refused our credential. The target is not at fault: delivery pauses the provider and keeps the work.
   */
  | { kind: 'credential'; reason: string }

/** Renders the notification for each target. Repeated calls for a target write the same bytes. */
export interface Personal {
  /** Prepares the JSON of the notification or a part of it; the result writes it for the target at `index`. */
  prepareJson(json: Buffer): (index: number, body: BodyWriter) => void
  /** The headers for the target at `index`. */
  headersOf(index: number): ReadonlyMap<string, string>
}

/** Targets of one send that get its notification. */
export interface Batch {
  /** The `uid` of the send. */
  uid: string
  notification: Notification
  targetKind: TargetKind
  targets: readonly string[]
  /** Web Push only: the encryption keys of each target, `{"p256dh":"…","auth":"…"}`. The target is the endpoint. */
  keys?: readonly string[]
  /** Set if the notification differs from target to target: `notification` is the template then. */
  personal?: Personal | undefined
  /**
   * Whether the target was cancelled since the batch was claimed. The provider calls it before it sends a request. If
   * it returns true, the request is not sent and the target stays unsettled.
   */
  isWithdrawn?: ((index: number) => boolean) | undefined
  /**
   * The worker's knowledge that its claim is valid and which targets are cancelled. While it is outdated, the provider
   * sends no request. Always valid unless given.
   */
  confirmation?: Confirmation | undefined
}

/** Reports the outcome of the target at `index`. */
export type Settle = (index: number, outcome: Outcome) => void

/** Sends batches through one push service. */
export interface Provider {
  /** The name of the provider. A sandbox has the name of the provider that it replaces. */
  readonly name: ProviderName

  /** Whether `send` accepts batches with `personal`. Otherwise delivery renders them and sends one target at a time. */
  readonly takesPersonal?: boolean

  /**
   * Sends one batch. Calls `settle` once per target, in any order. Resolves when all targets are settled, cancelled
   * ones excepted, or when `signal` aborts: then the other targets are unsettled and may be sent again.
   */
  send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void>

  /** Waits for the requests in flight, then closes the connections. Safe to call twice. */
  close(): Promise<void>
}
