/** The reason for which devices of a recipient are dropped: no notification for their provider, or no time zone. */
export type SkipReason = 'no_notification' | 'no_timezone'
