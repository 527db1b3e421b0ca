// The ids of device topics and user topics: `<topic number>-<owner>`. They are also the cursors of the lists. The
// number is in hex with a fixed width, so that ids sort in the order of the tables' keys.
import { ApiError } from '../protocol/errors.ts'

const HEX_DIGITS = 8
const ID = new RegExp(`^([0-9a-f]{${HEX_DIGITS}})-(.*)$`, 's')
const MAX_TOPIC_ID = 2 ** 31 - 1

/** The two parts of the id of a device topic or a user topic. */
export interface TopicCursor {
  topicId: number
  /** The id of the device that has the topic, or the user that has it. */
  owner: string
}

/** The id of a device topic or a user topic. */
export function formatTopicCursor({ topicId, owner }: TopicCursor): string {
  return `${topicId.toString(16).padStart(HEX_DIGITS, '0')}-${owner}`
}

/** Reads the cursor of a request. @throws ApiError badRequest */
export function parseTopicCursor(text: string): TopicCursor {
  const [, digits = '', owner = ''] = ID.exec(text) ?? []
  const topicId = Number.parseInt(digits, 16)
  if (!(topicId <= MAX_TOPIC_ID)) throw new ApiError('badRequest', 'cursor: not a cursor of this list')
  return { topicId, owner }
}
