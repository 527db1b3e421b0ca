// All answers in https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, and those of load balancers.
import { generateKeyPairSync } from 'node:crypto'
import { FcmProvider } from '../../../src/providers/fcm/fcm.ts'
import { type Answer, jsonAnswer } from '../../../src/simulators/answer.ts'
import { badRequest, fcmErrorDetail, googleError } from '../../../src/simulators/fcm/google-error.ts'
import { makeTestLogger, TOKEN_MARK } from '../../support/run-log.ts'
import { describeAnswers } from './describe-answers.ts'
import { type AnswerRow, paused, rejected, removed, retried, sent } from './effects.ts'

const MINUTE_MS = 60_000
const RETRY_AFTER = { 'retry-after': '90' }
const HTML = { status: 502, headers: { 'content-type': 'text/html' }, body: '<!DOCTYPE html><title>Error 502</title>' }

function fcmError(code: number, status: string, errorCode: string, headers: Record<string, string> = {}): Answer {
  return googleError(code, status, errorCode, [fcmErrorDetail(errorCode)], headers)
}

function quotaFailure(subject: string): Answer {
  const quota = { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ subject }] }
  return googleError(429, 'RESOURCE_EXHAUSTED', 'used up', [fcmErrorDetail('QUOTA_EXCEEDED'), quota])
}

const ROWS: readonly AnswerRow[] = [
  { what: '200', answer: jsonAnswer(200, { name: 'projects/p/messages/1' }), effect: sent },
  {
    what: '404 UNREGISTERED',
    answer: fcmError(404, 'NOT_FOUND', 'UNREGISTERED'),
    effect: removed('UNREGISTERED'),
  },
  {
    what: '400 INVALID_ARGUMENT, for the token or the payload',
    answer: fcmError(400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'),
    effect: rejected('INVALID_ARGUMENT'),
  },
  {
    what: '400 with field violations, for the payload',
    answer: badRequest('message.data', 'the values must be strings'),
    effect: rejected('HTTP_400'),
  },
  {
    what: '403 SENDER_ID_MISMATCH',
    answer: fcmError(403, 'PERMISSION_DENIED', 'SENDER_ID_MISMATCH'),
    effect: rejected('SENDER_ID_MISMATCH'),
  },
  {
    what: '401 THIRD_PARTY_AUTH_ERROR',
    answer: fcmError(401, 'UNAUTHENTICATED', 'THIRD_PARTY_AUTH_ERROR'),
    effect: rejected('THIRD_PARTY_AUTH_ERROR'),
  },
  { what: '401 without a code', answer: googleError(401, 'UNAUTHENTICATED', 'no'), effect: paused('HTTP_401') },
  { what: '403 without a code', answer: googleError(403, 'PERMISSION_DENIED', 'no'), effect: paused('HTTP_403') },
  { what: '404 without a code', answer: googleError(404, 'NOT_FOUND', 'no project'), effect: paused('HTTP_404') },
  {
    what: '429 QUOTA_EXCEEDED',
    answer: fcmError(429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED'),
    effect: retried(MINUTE_MS),
  },
  {
    what: '429 QUOTA_EXCEEDED with Retry-After',
    answer: fcmError(429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED', RETRY_AFTER),
    effect: retried(90_000),
  },
  { what: '429 with the quota of the project', answer: quotaFailure('projects/p'), effect: retried(MINUTE_MS) },
  { what: '429 with the quota of a device', answer: quotaFailure('device:d'), effect: retried(MINUTE_MS) },
  {
    what: '429 RESOURCE_EXHAUSTED without a code',
    answer: googleError(429, 'RESOURCE_EXHAUSTED', 'used up'),
    effect: retried(MINUTE_MS),
  },
  { what: '503 UNAVAILABLE', answer: fcmError(503, 'UNAVAILABLE', 'UNAVAILABLE'), effect: retried(10_000) },
  {
    what: '503 UNAVAILABLE with Retry-After',
    answer: fcmError(503, 'UNAVAILABLE', 'UNAVAILABLE', RETRY_AFTER),
    effect: retried(90_000),
  },
  { what: '500 INTERNAL', answer: fcmError(500, 'INTERNAL', 'INTERNAL'), effect: retried(10_000) },
  { what: '400 UNSPECIFIED_ERROR', answer: fcmError(400, 'UNKNOWN', 'UNSPECIFIED_ERROR'), effect: retried(10_000) },
  { what: '502 in HTML', answer: HTML, effect: retried(10_000) },
  { what: '200 without the name of a message', answer: { ...HTML, status: 200 }, effect: retried(10_000) },
]

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const serviceAccount = {
  projectId: 'p',
  clientEmail: 'push@p.iam.gserviceaccount.com',
  privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
}
const logger = makeTestLogger()

describeAnswers('FCM', ROWS, {
  open: (origin, ca) =>
    new FcmProvider({ account: serviceAccount, pushEndpoint: origin, authEndpoint: origin, ca, logger }),
  answerTokenRequest: ({ path }) =>
    path === '/token'
      ? jsonAnswer(200, { access_token: TOKEN_MARK, expires_in: 3600, token_type: 'Bearer' })
      : undefined,
  readTargets: ({ path, body }) => (path === '/token' ? [] : [JSON.parse(body.toString()).message.token]),
  good: jsonAnswer(200, { name: 'projects/p/messages/1' }),
})
