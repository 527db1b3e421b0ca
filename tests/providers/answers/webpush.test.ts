// All answers in RFC 8030 and RFC 8292, and the further ones of the push services of browsers. The 406 of the Windows
// service is tested in src/providers/webpush/outcome.test.ts, because it depends on the host name.
import { makeAddressPolicy } from '../../../src/providers/webpush/address-policy.ts'
import { makeVapidKeys, readVapidKeys } from '../../../src/providers/webpush/vapid-keys.ts'
import { WebPushProvider } from '../../../src/providers/webpush/webpush.ts'
import { type Answer, jsonAnswer } from '../../../src/simulators/answer.ts'
import { describeSubscription, SimulatedSubscriptions } from '../../../src/simulators/webpush/subscriptions.ts'
import { makeTestLogger } from '../../support/run-log.ts'
import { describeAnswers } from './describe-answers.ts'
import { type AnswerRow, type Effect, paused, rejected, removed, retried, sent } from './effects.ts'

const GOOD: Answer = { status: 201, headers: { location: 'https://push.example.com/m/1' }, body: '' }

function says(status: number, meaning: string, effect: Effect, headers: Record<string, string> = {}): AnswerRow {
  return { what: `${status}, ${meaning}`, answer: { status, headers, body: '' }, effect }
}

/** The answer of the Mozilla service, which adds an error number. */
function autopush(status: number, errno: number, effect: Effect, headers: Record<string, string> = {}): AnswerRow {
  return { what: `${status}, errno ${errno}`, answer: jsonAnswer(status, { code: status, errno }, headers), effect }
}

const ROWS: readonly AnswerRow[] = [
  says(200, 'OK', sent),
  says(201, 'created', sent),
  says(202, 'accepted, with a receipt', sent),
  says(301, 'moved permanently', rejected('HTTP_301'), { location: 'https://localhost/' }),
  says(302, 'found', rejected('HTTP_302'), { location: 'https://localhost/' }),
  says(307, 'temporary redirect', rejected('HTTP_307'), { location: 'https://localhost/' }),
  says(400, 'a bad request', rejected('HTTP_400')),
  {
    what: '400, UnauthorizedRegistration of FCM: another VAPID key',
    answer: { status: 400, headers: {}, body: '<TITLE>UnauthorizedRegistration</TITLE>' },
    effect: paused('HTTP_400'),
  },
  says(401, 'the VAPID token is refused', paused('HTTP_401')),
  {
    what: '403, BadJwtToken of Apple',
    answer: jsonAnswer(403, { reason: 'BadJwtToken' }),
    effect: paused('HTTP_403'),
  },
  {
    what: '400, BadWebPushTopic of Apple',
    answer: jsonAnswer(400, { reason: 'BadWebPushTopic' }),
    effect: rejected('HTTP_400'),
  },
  says(404, 'no such subscription', removed('HTTP_404')),
  says(406, 'not from the Windows service', rejected('HTTP_406')),
  says(410, 'gone', removed('HTTP_410')),
  says(413, 'too large', rejected('HTTP_413')),
  says(429, 'too many requests', retried(10_000)),
  says(429, 'too many requests, with Retry-After', retried(37_000), { 'retry-after': '37' }),
  says(500, 'internal error', retried(10_000)),
  says(502, 'a bad gateway', retried(10_000)),
  says(503, 'unavailable', retried(10_000)),
  says(503, 'unavailable, with Retry-After', retried(90_000), { 'retry-after': '90' }),
  says(504, 'gateway timeout', retried(10_000)),
  ...[110, 111, 112, 113].map((errno) => autopush(400, errno, rejected('HTTP_400'))),
  autopush(401, 109, paused('HTTP_401')),
  autopush(404, 102, removed('HTTP_404')),
  ...[103, 105, 106].map((errno) => autopush(410, errno, removed('HTTP_410'))),
  autopush(413, 104, rejected('HTTP_413')),
  autopush(429, 201, retried(21_000), { 'retry-after': '21' }),
  ...[900, 901, 902, 903].map((errno) => autopush(502, errno, retried(10_000))),
  autopush(503, 201, retried(10_000)),
  autopush(503, 202, retried(10_000)),
]

const vapid = makeVapidKeys()
const browsers = new SimulatedSubscriptions()
const logger = makeTestLogger()

describeAnswers('a push service', ROWS, {
  open: (_origin, ca) =>
    new WebPushProvider({
      keys: readVapidKeys(vapid.publicKey, vapid.privateKey),
      subject: 'mailto:push@example.com',
      isAddressAllowed: makeAddressPolicy(['127.0.0.1/32']),
      checkEndpoint: () => undefined,
      ca,
      logger,
    }),
  readTargets: ({ path }) => [path],
  good: GOOD,
  tokenOf: (name, origin) => {
    const { endpoint, keys } = JSON.parse(describeSubscription(browsers.subscribe(name), origin))
    return { token: endpoint, keys: JSON.stringify(keys) }
  },
})
