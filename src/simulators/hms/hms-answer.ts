import { type Answer, jsonAnswer } from '../answer.ts'

/** The codes that the simulator answers, each with its HTTP status and its message. */
const CODES = {
  '80000000': [200, 'Success'],
  '80100000': [200, ''],
  '80100001': [400, 'Incorrect parameters'],
  '80100002': [400, 'Incorrect number of tokens'],
  '80100003': [400, 'Illegal payload'],
  '80100004': [400, 'Incorrect expiry time'],
  '80100013': [400, 'Incorrect collapse key'],
  '80100016': [400, 'Sensitive content'],
  '80100017': [503, 'Too many messages to topics at once'],
  '80200001': [401, 'OAuth authentication error'],
  '80200003': [401, 'OAuth token timeout'],
  '80300002': [403, 'No permission to send to these tokens'],
  '80300007': [400, 'All the tokens are invalid'],
  '80300008': [400, 'The message body is too large'],
  '80300010': [400, 'Number of tokens'],
  '80300011': [403, 'No permission for this priority'],
  '80300013': [403, 'No permission for this kind of message'],
  '80600003': [500, 'Failed to request the OAuth service'],
  '81000001': [500, 'System inner error'],
} as const

/** A code that the simulator answers. */
export type HmsCode = keyof typeof CODES

/** An answer in the format of Push Kit. The code in its body is more precise than the HTTP status. */
export function hmsAnswer(code: HmsCode, requestId: string, msg?: string): Answer {
  const [status, text] = CODES[code]
  return jsonAnswer(status, { code, msg: msg ?? text, requestId })
}
