import { parseObject } from '../json-object.ts'
import { type IsOpen, NOTHING_OPEN, type Problem } from '../problem.ts'
import { MESSAGE } from './message-fields.ts'

/** Why FCM refuses a message, apart from its target; undefined if it accepts it. @param message a valid JSON object */
export function findMessageProblem(message: Buffer, isOpen: IsOpen = NOTHING_OPEN): Problem | undefined {
  return MESSAGE(parseObject(message), isOpen)
}
