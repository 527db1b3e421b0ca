/** Why devices of a recipient are not sent to: no notification for their provider, or a time limit and no time zone. */
export type SkipReason = 'no_notification' | 'no_timezone'
