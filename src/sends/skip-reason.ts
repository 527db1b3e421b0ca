/**
 * Why devices of a recipient get no push: the send has no notification for their provider, they have no time zone, or
 * they are excluded from the send.
 */
export type SkipReason = 'no_notification' | 'no_timezone' | 'excluded'
