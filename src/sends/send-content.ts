import type { ProviderName } from '../config/provider-names.ts'
import type { AckRule } from './ack-rule.ts'
import type { Notification } from './notification.ts'
import type { RateLimit } from './rate-limit.ts'
import type { TimeLimit } from './time-limit.ts'

/** How the notifications of a send differ from target to target. */
export interface Templating {
  /** Whether a template uses the device's meta. If so, target lines contain it. */
  usesMeta: boolean
  /** The translations: for each locale, texts by name. If there are any, target lines contain the device's locale. */
  localizations: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/** The content of a send, stored once for all of its batches. */
export interface SendContent {
  notifications: ReadonlyMap<ProviderName, Notification>
  /** The uid that apps use in their reports about the notifications of this send. */
  analyticsUid: string
  /** The request's `optimize_for_reliability`: true if the progress of a batch is stored while it is being sent. */
  isReliable: boolean
  /** How notifications differ from target to target; undefined: all targets get the same bytes. */
  templating?: Templating | undefined
  /** The time limit of the send, if it has one. Its target lines contain the time zone then. */
  timeLimit?: TimeLimit | undefined
  /** The rate limit of the send; undefined if it has none. */
  rateLimit?: RateLimit | undefined
  /** The acks that stop pushes of the send; undefined: those of DEFAULT_ACK_RULE. */
  ackRule?: AckRule | undefined
  /** The devices of these users get no push, although the recipient selects them: the author of a message. */
  exceptUsers?: readonly string[] | undefined
  /** Users who get the push only later, because they may see the message before; undefined: none. */
  heldUsers?: HeldUsers | undefined
}

/** The pushes to these users are held back until a time. */
export interface HeldUsers {
  users: readonly string[]
  /** Unix time in ms. */
  untilMs: number
}
