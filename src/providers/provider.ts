// The contract between delivery and the providers. Other rooms import only this file.
import type { ProviderName } from '../config/provider-names.ts'
import type { BodyWriter, Confirmation } from '../http2/http2-client.ts'
import type { Notification } from '../sends/notification.ts'
import type { TargetKind } from '../sends/recipient.ts'

/** The outcome of one attempt for one target. There are only these kinds, because delivery acts on each of them. */
export type Outcome =
  | { kind: 'sent'; messageId: string }
  /**
   * Another attempt may succeed. `afterMs`: the delay that the provider asked for (Retry-After). `minDelayMs`: the
   * shortest delay by its documentation. `maybeDelivered`: the attempt was ambiguous, so the device may have the push.
   * `outageDelayMs`: the provider is down, so the attempt does not count; the delay before the next one.
   */
  | {
      kind: 'retry'
      reason: string
      afterMs?: number
      minDelayMs?: number
      maybeDelivered?: boolean
      outageDelayMs?: number
    }
  /** The token of the target is dead. `sinceMs`: since when, as Unix time in ms, if the provider reports it. */
  | { kind: 'tokenGone'; reason: string; sinceMs?: number }
  /** The provider refuses the notification or the target. `field`: the path of the refused field, if it names one. */
  | { kind: 'rejected'; reason: string; field?: string }
  /**
   * The provider refused the credential of this server. The target is not at fault: delivery pauses the provider and
   * keeps the batches.
   */
  | { kind: 'credential'; reason: string }

/** The reason of a `credential` outcome when no service has refused the credential: it could not be used here. */
export const CREDENTIAL_UNUSABLE = 'credential_unusable'

/** Renders a personal notification for each target. Repeated calls for one target write the same bytes. */
export interface Personal {
  /**
   * Compiles the JSON of the notification, or a part of it. Returns a function that writes it for the target at
   * `index`.
   */
  prepareJson(json: Buffer): (index: number, body: BodyWriter) => void
  /** The notification's headers, rendered for the target at `index`. */
  headersOf(index: number): ReadonlyMap<string, string>
}

/** Targets of one send and one provider, and the notification for them. */
export interface Batch {
  /** The `uid` of the send. */
  uid: string
  notification: Notification
  targetKind: TargetKind
  targets: readonly string[]
  /**
   * Web Push only: the encryption keys of each target, `{"p256dh":"…","auth":"…"}`. The target itself is the endpoint.
   */
  keys?: readonly string[]
  /** Set if the notification differs from target to target: then `notification` is the template that it renders. */
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

/** Whether a provider works, by the answers to its requests so far. */
export interface Availability {
  /** `down`: nothing is sent before the next probe. `probe`: one batch may be sent, to find out whether it works. */
  readonly state: 'up' | 'probe' | 'down'
  /** Ms since the end of the last outage, or since the provider was started. */
  readonly upForMs: number
}

/** Sends batches through one push service. */
export interface Provider {
  /** The name of the provider. A sandbox has the name of the provider that it replaces. */
  readonly name: ProviderName

  /**
   * Whether `send` accepts batches with `personal`. If not, delivery renders the notification and sends one target at a
   * time.
   */
  readonly takesPersonal?: boolean

  /** Absent for a provider that can't be down, such as a sandbox. */
  readonly availability?: Availability | undefined

  /**
   * Sends one batch. Calls `settle` once per target, in any order. Resolves when all targets except cancelled ones are
   * settled, or when `signal` aborts: then targets without an outcome may be sent again.
   */
  send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void>

  /** Waits for the requests in flight, then closes the connections. Safe to call twice. */
  close(): Promise<void>
}
