import { type Fault, type FaultTable, SHARED_FAULTS } from '../faults.ts'
import { type HmsCode, hmsAnswer } from './hms-answer.ts'

const REQUEST_ID = '0'

/** Faults that concern the whole request: for each word by which a target requests one, the code of the answer. */
const CODES: Readonly<Record<string, HmsCode>> = {
  parameter: '80100001',
  tokencount: '80100002',
  payload: '80100003',
  expiry: '80100004',
  collapsekey: '80100013',
  sensitive: '80100016',
  topics: '80100017',
  oauth: '80200001',
  timeout: '80200003',
  permission: '80300002',
  invalid: '80300007',
  toolarge: '80300008',
  toomany: '80300010',
  priority: '80300011',
  category: '80300013',
  oauthservice: '80600003',
  internal: '81000001',
}

/**
 * The faults of the HMS simulator. A request gets a fault if one of its tokens, its topic or its condition starts with
 * the word.
 */
export function makeHmsFaults(retryAfterSeconds: number): FaultTable {
  const codes = Object.entries(CODES).map(([word, code]): [string, Fault] => {
    const answer = hmsAnswer(code, REQUEST_ID)
    return [word, { does: `${code} for the whole request`, isAccepted: false, answer }]
  })
  return {
    ...SHARED_FAULTS,
    ...Object.fromEntries(codes),
    unreadable: {
      does: '80100000 without a list of tokens',
      isAccepted: true,
      answer: hmsAnswer('80100000', REQUEST_ID, 'some'),
    },
    traffic: {
      does: '503 with Retry-After for the whole request',
      isAccepted: false,
      answer: { status: 503, headers: { 'retry-after': String(retryAfterSeconds) }, body: '' },
    },
  }
}

/** The beginning of tokens that a partial success lists as `illegal_tokens`. */
export const ILLEGAL = 'illegal-'
