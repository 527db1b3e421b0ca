import * as v from 'valibot'
import { described, section } from '../option.ts'
import { PROVIDER_NAMES } from '../provider-names.ts'
import { duration, flag, list, oneOf } from '../values.ts'
import { apns, fcm, hms, webpush } from './providers.ts'
import { publishOrPush } from './publish-or-push.ts'
import { queue } from './queue.ts'

const DAY_MS = 24 * 3600 * 1000

/** The section about pushes: providers, queue, devices. */
export const pushNotifications = section({
  enabled: described(v.optional(flag, true), 'With false centripush only passes requests on to the node.'),
  dry_run: described(v.optional(flag, false), 'Sends nothing: every provider is the sandbox, which only records.'),
  dry_run_latency: described(v.optional(duration(), '0'), 'How long the sandbox takes for a batch with `dry_run`.'),
  enabled_providers: described(
    v.optional(list(oneOf(PROVIDER_NAMES), `provider names: ${PROVIDER_NAMES.join(', ')}`)),
    'The providers that are used; each needs its credentials. Absent: all, those without credentials as the sandbox.',
  ),
  lenient: described(
    v.optional(flag, false),
    'Starts with credentials that can not be used: their providers are paused, and their pushes wait. Otherwise such ' +
      'a credential stops the start. `serve --lenient` is the same.',
  ),
  max_inactive_device_interval: described(
    v.optional(duration(), '0'),
    'Removes devices that were neither registered nor updated for this long. 0 keeps all.',
  ),
  read_from_replica: described(
    v.optional(flag, false),
    'Reads the lists of devices and topics from `database.postgresql.replica_dsn`.',
  ),
  report_ttl: described(
    v.optional(duration(DAY_MS), '720h'),
    'How long the report of a send is kept after its end (`push_list`, `push_info`). Redis keeps at most 100,000.',
  ),
  queue: described(v.optional(queue, {}), 'The queue of sends and batches.'),
  publish_or_push: described(v.optional(publishOrPush, {}), 'Pushes that an ack of the message stops.'),
  fcm: described(v.optional(fcm, {}), 'Firebase Cloud Messaging.'),
  hms: described(v.optional(hms, {}), 'Huawei Push Kit.'),
  apns: described(v.optional(apns, {}), 'Apple Push Notification service.'),
  webpush: described(v.optional(webpush, {}), 'Web Push.'),
})
