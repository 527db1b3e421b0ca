import { ApiError } from '../protocol/errors.ts'
import { checkList, checkTopic } from './field-checks.ts'

/** A change of the topics of a device or user. `set` replaces the list, so `set` without topics clears it. */
export interface TopicOperation {
  op: 'add' | 'remove' | 'set'
  /** The topics to add, remove or set, without duplicates. */
  topics: readonly string[]
}

/**
 * Checks the topic operation of a request.
 * @param prefix the beginning of the field names in errors, for example `topics_update.`
 * @throws ApiError badRequest
 */
export function parseTopicOperation(
  { op, topics }: { op: string; topics: readonly string[] },
  prefix = '',
): TopicOperation {
  if (op !== 'add' && op !== 'remove' && op !== 'set') {
    throw new ApiError('badRequest', `${prefix}op: must be add, remove or set`)
  }
  if (op !== 'set' && topics.length === 0)
    throw new ApiError('badRequest', `${prefix}topics: must not be empty for ${op}`)
  return { op, topics: checkList(`${prefix}topics`, topics, checkTopic) }
}
