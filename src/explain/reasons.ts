/** Each reason that explains a push, with the sentence for it. The names are part of the API. */
export const REASONS = {
  unknown_send: 'No send with this uid is known: it was never accepted, or its report was deleted.',
  never_registered:
    'The user or device was never registered, or it was removed before the send and more than a week ago.',
  scheduled: 'The send is scheduled for a later time.',
  cancelled: 'The push was cancelled before it was handed to the provider.',
  expired: 'The push expired before it could be sent.',
  registered_later: 'The device was registered after the send had ended.',
  removed_before: 'The device was removed before the send: its token was dead, or it was inactive.',
  not_a_recipient: 'The filter of the send does not match the device.',
  other_address: 'The send went to raw tokens, a topic or a condition, and not to stored devices.',
  provider_disabled: 'The provider of the device is not enabled on this server.',
  no_notification: 'The send has no notification for the provider of the device.',
  rate_limited: 'The rate limit of the send dropped the push.',
  rate_delayed: 'The rate limit of the send delays the push.',
  no_timezone: 'The send has a time window, and the device has no time zone.',
  dropped: 'A rule of the send dropped the push.',
  outside_hours: 'The push waits for the time window of the send in the time zone of the device.',
  provider_paused: 'An operator has paused the provider; the push is sent when it is resumed.',
  credential_refused: 'The provider refuses the credential of this server; the push is sent when it accepts it again.',
  waiting: 'The push is in the queue and was not tried yet.',
  retrying: 'An attempt failed for now; the push is tried again.',
  failed: 'The provider refused the push, or all attempts failed.',
  presumably_sent:
    'The send has ended, the device matches its recipient, and no failure is recorded: most likely the provider ' +
    'accepted the push. Sent pushes have rows only with postgresql_analytics.rows or ClickHouse.',
  not_recorded:
    'The send has ended, and nothing is recorded about this device: it was not among the targets, or its rows are ' +
    'deleted.',
  device_removed: 'The provider accepted the push, and the device has been removed since.',
  sent: 'The provider accepted the push. The app has not reported it: it may be off, offline or without permission.',
  delivered: 'The app reported that the push was delivered.',
  interacted: 'The app reported that the user opened the push.',
} as const

/** The reason that explains a push. */
export type Reason = keyof typeof REASONS
