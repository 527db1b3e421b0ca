import type { DeviceStore } from '../devices/device-store.ts'
import { checkUser } from '../devices/field-checks.ts'
import { parseTopicOperation } from '../devices/topic-operation.ts'
import type { UserTopicUpdateRequest } from '../protocol/requests/push.ts'

/**
 * The method `user_topic_update`: changes the topics of a user, or with the user '' those of everyone. Its result is
 * empty.
 */
export function makeUserTopicUpdate(store: DeviceStore) {
  return async (request: UserTopicUpdateRequest): Promise<object> => {
    await store.updateUserTopics(checkUser('user', request.user), parseTopicOperation(request))
    return {}
  }
}
