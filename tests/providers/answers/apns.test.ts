// All answers in
// https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns.
import { generateKeyPairSync } from 'node:crypto'
import { ApnsProvider } from '../../../src/providers/apns/apns.ts'
import { parseSigningKey } from '../../../src/providers/apns/signing-key.ts'
import { type Answer, jsonAnswer } from '../../../src/simulators/answer.ts'
import { LocalCredentialCache } from '../../support/local-credential-cache.ts'
import { makeTestLogger } from '../../support/run-log.ts'
import { describeAnswers } from './describe-answers.ts'
import { type AnswerRow, type Effect, paused, rejected, removed, retried, sent } from './effects.ts'

const GOOD: Answer = { status: 200, headers: { 'apns-id': '6b3ba3e0-7ac1-4d2b-9d7e-0a4b1f6f8f5e' }, body: '' }
const HTML = { headers: { 'content-type': 'text/html' }, body: '<!DOCTYPE html>' }

function says(status: number, reason: string, effect: Effect, headers: Record<string, string> = {}): AnswerRow {
  const timestamp = status === 410 ? { timestamp: Date.parse('2026-01-01T00:00:00Z') } : {}
  return { what: `${status} ${reason}`, answer: jsonAnswer(status, { reason, ...timestamp }, headers), effect }
}

const rejects = (status: number, reason: string) => says(status, reason, rejected(reason))
const pauses = (status: number, reason: string) => says(status, reason, paused(reason))

const ROWS: readonly AnswerRow[] = [
  { what: '200', answer: GOOD, effect: sent },
  rejects(400, 'BadCollapseId'),
  rejects(400, 'BadDeviceToken'),
  rejects(400, 'BadExpirationDate'),
  rejects(400, 'BadMessageId'),
  rejects(400, 'BadPriority'),
  rejects(400, 'BadTopic'),
  rejects(400, 'DeviceTokenNotForTopic'),
  rejects(400, 'DuplicateHeaders'),
  rejects(400, 'InvalidPushType'),
  rejects(400, 'MissingDeviceToken'),
  rejects(400, 'MissingTopic'),
  rejects(400, 'PayloadEmpty'),
  rejects(400, 'TopicDisallowed'),
  says(400, 'IdleTimeout', retried(0)),
  pauses(403, 'BadCertificate'),
  pauses(403, 'BadCertificateEnvironment'),
  pauses(403, 'BadEnvironmentKeyIdInToken'),
  pauses(403, 'ExpiredProviderToken'),
  pauses(403, 'Forbidden'),
  pauses(403, 'InvalidProviderToken'),
  pauses(403, 'MissingProviderToken'),
  pauses(403, 'UnrelatedKeyIdInToken'),
  rejects(404, 'BadPath'),
  rejects(405, 'MethodNotAllowed'),
  says(410, 'Unregistered', removed('Unregistered')),
  says(410, 'ExpiredToken', removed('ExpiredToken')),
  rejects(413, 'PayloadTooLarge'),
  pauses(429, 'TooManyProviderTokenUpdates'),
  says(429, 'TooManyRequests', retried(60_000)),
  says(500, 'InternalServerError', retried(10_000)),
  says(503, 'ServiceUnavailable', retried(10_000)),
  says(503, 'Shutdown', retried(10_000)),
  {
    ...says(503, 'ServiceUnavailable', retried(90_000), { 'retry-after': '90' }),
    what: '503 ServiceUnavailable with Retry-After',
  },
  { what: '502 in HTML', answer: { ...HTML, status: 502 }, effect: retried(10_000) },
  // Reasons of broadcasts and channels. APNs answers them on a path that the provider does not use.
  rejects(400, 'BadChannelId'),
  rejects(400, 'BadRequestParams'),
  rejects(400, 'BadRequestPayload'),
  rejects(400, 'CannotCreateChannelConfig'),
  rejects(400, 'ChannelNotRegistered'),
  rejects(400, 'FeatureNotEnabled'),
  rejects(400, 'MissingChannelId'),
  rejects(400, 'MissingPushType'),
  rejects(400, 'TopicMismatch'),
]

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const key = parseSigningKey(pem, 'KEY0000001', 'TEAM000001')
const logger = makeTestLogger()

describeAnswers('APNs', ROWS, {
  open: (endpoint, ca) => {
    const auth = { kind: 'token' as const, key, cache: new LocalCredentialCache() }
    return new ApnsProvider({ endpoint, bundleId: 'com.example.app', auth, ca, logger })
  },
  readTargets: ({ path }) => [path],
  good: GOOD,
})
