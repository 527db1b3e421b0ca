import type { ProviderName } from '../config/provider-names.ts'
import type { Notification } from './notification.ts'
import type { RateLimit } from './rate-limit.ts'
import type { TimeLimit } from './time-limit.ts'

/** The parts of a send by which its notifications differ from target to target. */
export interface Templating {
  /** A template uses the device's meta, so target lines include it. */
  usesMeta: boolean
  /** Texts by name for each locale. If there are any, target lines include the locale. */
  localizations: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/** The content of a send, stored once for all its batches. */
export interface SendContent {
  notifications: ReadonlyMap<ProviderName, Notification>
  /** The uid that reports about these notifications refer to. */
  analyticsUid: string
  /** The request's `optimize_for_reliability`: the progress of a batch is stored while it is being sent. */
  isReliable: boolean
  /** Undefined: all targets get the same bytes. */
  templating?: Templating | undefined
  /** Target lines of a send with a time limit include the time zone. */
  timeLimit?: TimeLimit | undefined
  /** Undefined: the send has no rate limit. */
  rateLimit?: RateLimit | undefined
}
