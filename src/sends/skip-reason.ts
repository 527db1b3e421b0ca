/**
 * Why devices of a recipient get no push: the send has no notification for their provider, or they have no time zone.
 */
export type SkipReason = 'no_notification' | 'no_timezone'
