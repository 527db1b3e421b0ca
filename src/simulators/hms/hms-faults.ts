import { type FaultTable, SHARED_FAULTS } from '../faults.ts'
import { hmsAnswer } from './hms-answer.ts'

const REQUEST_ID = '0'

/** What a request meets when one of its tokens, its topic or its condition starts with one of these words. */
export function makeHmsFaults(retryAfterSeconds: number): FaultTable {
  const answered = (code: Parameters<typeof hmsAnswer>[0], does: string) => ({
    does,
    isAccepted: false,
    answer: hmsAnswer(code, REQUEST_ID),
  })
  return {
    ...SHARED_FAULTS,
    parameter: answered('80100001', '80100001 for the whole request'),
    sensitive: answered('80100016', '80100016 for the whole request'),
    oauth: answered('80200001', '80200001 for the whole request'),
    timeout: answered('80200003', '80200003 for the whole request'),
    permission: answered('80300002', '80300002 for the whole request'),
    invalid: answered('80300007', '80300007 for the whole request'),
    oauthservice: answered('80600003', '80600003 for the whole request'),
    internal: answered('81000001', '81000001 for the whole request'),
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

/** A token that starts with this is named in the `illegal_tokens` of a partial success. */
export const ILLEGAL = 'illegal-'
