// All answers in https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197.
import { HmsProvider } from '../../../src/providers/hms/hms.ts'
import { jsonAnswer } from '../../../src/simulators/answer.ts'
import { makeTestLogger, TOKEN_MARK } from '../../support/run-log.ts'
import { describeAnswers } from './describe-answers.ts'
import { type AnswerRow, type Effect, paused, rejected, removed, retried, sent } from './effects.ts'

const GOOD = jsonAnswer(200, { code: '80000000', msg: 'Success', requestId: '1' })
const OAUTH_PATH = '/oauth2/v3/token'

function says(code: string, status: number, meaning: string, effect: Effect, msg = meaning): AnswerRow {
  return { what: `${code}, ${meaning}`, answer: jsonAnswer(status, { code, msg, requestId: '1' }), effect }
}

function plain(status: number, meaning: string, effect: Effect, headers: Record<string, string> = {}): AnswerRow {
  return { what: `HTTP ${status}, ${meaning}`, answer: { status, headers, body: '<html>' }, effect }
}

const rejects = (code: string, status: number, meaning: string) => says(code, status, meaning, rejected(code))

const ROWS: readonly AnswerRow[] = [
  says('80000000', 200, 'all sent', sent),
  says(
    '80100000',
    200,
    'some illegal',
    removed('80100000'),
    '{"success":0,"failure":2,"illegal_tokens":["target-met-1","target-met-2"]}',
  ),
  says(
    '80100000',
    200,
    'some failed for another reason',
    rejected('80100000'),
    '{"success":0,"failure":2,"noRight":["target-met-1","target-met-2"]}',
  ),
  says('80100000', 200, 'none of these is illegal', sent, '{"success":2,"failure":1,"illegal_tokens":["another"]}'),
  says('80100000', 200, 'some illegal, without a list', rejected('80100000'), 'some'),
  rejects('80100001', 400, 'wrong parameters'),
  rejects('80100003', 400, 'wrong structure'),
  rejects('80100016', 400, 'sensitive content'),
  says('80200001', 401, 'access token refused', paused('80200001')),
  says('80200003', 401, 'access token expired', paused('80200003')),
  rejects('80300002', 403, 'no permission for these tokens'),
  rejects('80300007', 400, 'all tokens invalid'),
  rejects('80300008', 400, 'too large'),
  rejects('80300010', 400, 'too many tokens'),
  rejects('80300011', 403, 'no permission for high priority'),
  rejects('80300013', 403, 'no permission for this kind'),
  says('80600003', 500, 'OAuth service not reached', retried(10_000)),
  says('81000001', 500, 'internal error', retried(10_000)),
  plain(400, 'a bad request', rejected('HTTP_400')),
  plain(401, 'unauthorized', paused('HTTP_401')),
  plain(404, 'a wrong URL, which contains the app id', paused('HTTP_404')),
  plain(500, 'internal error', retried(10_000)),
  plain(502, 'a bad gateway', retried(10_000)),
  plain(503, 'traffic control', retried(10_000)),
  plain(503, 'traffic control with Retry-After', retried(90_000), { 'retry-after': '90' }),
  plain(200, 'not in the form of Push Kit', retried(10_000)),
]

const logger = makeTestLogger()

describeAnswers('HMS', ROWS, {
  open: (origin, ca) => {
    const app = { appId: '1', appSecret: `secret-${TOKEN_MARK}` }
    return new HmsProvider({ ...app, pushEndpoint: origin, authEndpoint: origin + OAUTH_PATH, ca, logger })
  },
  answerTokenRequest: ({ path }) =>
    path === OAUTH_PATH
      ? jsonAnswer(200, { access_token: TOKEN_MARK, expires_in: 3600, token_type: 'Bearer' })
      : undefined,
  readTargets: ({ path, body }) => (path === OAUTH_PATH ? [] : JSON.parse(body.toString()).message.token),
  good: GOOD,
  answersBatches: true,
})
