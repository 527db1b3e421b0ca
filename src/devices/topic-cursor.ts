// The ids of device topics and user topics, which are their lists' cursors: `<topic number>-<owner>`, the number in hex
// of a fixed width, so that ids sort as the tables' keys do.
import { ApiError } from '../protocol/errors.ts'

const HEX_DIGITS = 8
const ID = new RegExp(`^([0-9a-f]{${HEX_DIGITS}})-(.*)$`, 's')
const MAX_TOPIC_ID = 2 ** 31 - 1

export interface TopicCursor {
  topicId: number
  /** A device's id, or a user. */
  owner: string
}

export function formatTopicCursor({ topicId, owner }: TopicCursor): string {
  return `${topicId.toString(16).padStart(HEX_DIGITS, '0')}-${owner}`
}

/** @throws ApiError badRequest */
export function parseTopicCursor(text: string): TopicCursor {
  const [, digits = '', owner = ''] = ID.exec(text) ?? []
  const topicId = Number.parseInt(digits, 16)
  if (!(topicId <= MAX_TOPIC_ID)) throw new ApiError('badRequest', 'cursor: not one of this list')
  return { topicId, owner }
}
