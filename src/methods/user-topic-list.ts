import type { DeviceStore } from '../devices/device-store.ts'
import { checkList, checkUser } from '../devices/field-checks.ts'
import type { UserTopic } from '../devices/list-user-topics.ts'
import { parseTopicFilter } from '../devices/topic-filter.ts'
import type { UserTopicListRequest } from '../protocol/requests/push.ts'
import { withoutZeroValues } from '../protocol/result.ts'
import { encodePage } from './device-results.ts'

/** The method `user_topic_list`. A request without a filter lists the topics of all users. */
export function makeUserTopicList(store: DeviceStore) {
  return async (request: UserTopicListRequest): Promise<object> => {
    const page = await store.listUserTopics({
      users: checkList('filter.users', request.filter?.users ?? [], checkUser),
      topics: parseTopicFilter(request.filter),
      includeTotalCount: request.include_total_count,
      cursor: request.cursor,
      limit: request.limit,
    })
    return encodePage(page, encodeUserTopic)
  }
}

function encodeUserTopic({ id, user, topic }: UserTopic): object {
  return withoutZeroValues({ id, user, topic })
}
