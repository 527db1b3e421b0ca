import { ApiError } from '../protocol/errors.ts'
import { checkList, checkTopic } from './field-checks.ts'

/** A change of a list of topics. `set` replaces it, so with no topics it clears it. */
export interface TopicOperation {
  op: 'add' | 'remove' | 'set'
  /** Each once. */
  topics: readonly string[]
}

/** @param prefix of the fields' names in errors: `topics_update.` */
export function parseTopicOperation(
  { op, topics }: { op: string; topics: readonly string[] },
  prefix = '',
): TopicOperation {
  if (op !== 'add' && op !== 'remove' && op !== 'set') {
    throw new ApiError('badRequest', `${prefix}op: must be add, remove or set`)
  }
  if (op !== 'set' && topics.length === 0) throw new ApiError('badRequest', `${prefix}topics: none to ${op}`)
  return { op, topics: checkList(`${prefix}topics`, topics, checkTopic) }
}
