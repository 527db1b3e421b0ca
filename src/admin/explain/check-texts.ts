import type { CheckName } from '../../explain/checks.ts'

/** The question of each check, as a reader understands it. */
export const CHECK_TEXTS: Readonly<Record<CheckName, string>> = {
  send_known: 'Is the send known?',
  send_due: 'Is the send due?',
  not_cancelled: 'Was it not cancelled?',
  not_expired: 'Did it not expire?',
  device_known: 'Is the device known?',
  is_recipient: 'Is the device a recipient?',
  provider_enabled: 'Is its provider enabled?',
  has_notification: 'Has the send a notification for its provider?',
  within_limits: 'Did the rate limit allow it?',
  within_hours: 'Is it inside the hours of the send?',
  provider_running: 'Does the provider take pushes now?',
  attempts: 'Did the provider accept it?',
  still_registered: 'Is the device still registered?',
  app_report: 'Did the app report it?',
}
