import { parseDeviceSelection } from '../devices/device-filter.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import { checkMeta, checkUser, parseLocale, parseTimezone } from '../devices/field-checks.ts'
import { parseTopicOperation } from '../devices/topic-operation.ts'
import type { DeviceChanges } from '../devices/update-devices.ts'
import { ApiError } from '../protocol/errors.ts'
import type { DeviceUpdateRequest } from '../protocol/requests/push.ts'

/** The method `device_update`: changes the given fields of all matching devices. Its result is empty. */
export function makeDeviceUpdate(store: DeviceStore) {
  return async (request: DeviceUpdateRequest): Promise<object> => {
    const changes = parseChanges(request)
    await store.update(parseDeviceSelection(request), changes)
    return {}
  }
}

function parseChanges(request: DeviceUpdateRequest): DeviceChanges {
  const { user_update, timezone_update, locale_update, meta_update, topics_update } = request
  const changes = {
    user: user_update && checkUser('user_update.user', user_update.user),
    timezone: timezone_update && parseTimezone('timezone_update.timezone', timezone_update.timezone),
    locale: locale_update && parseLocale('locale_update.locale', locale_update.locale),
    meta: meta_update && checkMeta('meta_update.meta', meta_update.meta),
    topics: topics_update && parseTopicOperation(topics_update, 'topics_update.'),
  }
  if (Object.values(changes).every((change) => change === undefined)) {
    throw new ApiError('badRequest', 'no update is given, and at least one is required')
  }
  return changes
}
