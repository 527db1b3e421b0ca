import { describe, expect, it } from 'vitest'
import { outcomeOf } from './outcome.ts'

const NOW = Date.parse('2026-03-01T00:00:00Z')
const HTML = '<!DOCTYPE html><title>502 Bad Gateway</title>'
const RETRY = { kind: 'retry', minDelayMs: 10_000 }

function bodyOf(code: string, msg = 'text of Huawei'): string {
  return JSON.stringify({ code, msg, requestId: '157440955549500001002006' })
}

function outcome(status: number, body: string, target = 't', retryAfter?: string) {
  return outcomeOf({ status, retryAfter, body }, NOW)(target)
}

describe('the outcome of an HMS answer', () => {
  it('is sent, with the id of the request', () => {
    expect(outcome(200, bodyOf('80000000'))).toEqual({ kind: 'sent', messageId: '157440955549500001002006' })
  })

  it.each([
    ['parameters are wrong', 400, '80100001', 'rejected'],
    ['wrong number of tokens for synchronous messages', 400, '80100002', 'rejected'],
    ['wrong structure', 400, '80100003', 'rejected'],
    ['an expiry in the past', 400, '80100004', 'rejected'],
    ['an invalid collapse key', 400, '80100013', 'rejected'],
    ['sensitive content', 400, '80100016', 'rejected'],
    ['access token wrong', 401, '80200001', 'credential'],
    ['access token expired', 401, '80200003', 'credential'],
    ['no permission to send to these tokens', 403, '80300002', 'rejected'],
    ['all tokens invalid', 400, '80300007', 'rejected'],
    ['message too large', 400, '80300008', 'rejected'],
    ['number of tokens', 400, '80300010', 'rejected'],
    ['no permission for high priority', 403, '80300011', 'rejected'],
    ['no permission for this kind', 403, '80300013', 'rejected'],
    ['an unknown code for parameters', 400, '80100999', 'rejected'],
    ['an unknown code for tokens', 200, '80300999', 'rejected'],
    ['an unknown code for access', 200, '80200999', 'credential'],
  ])('%s', (_what, status, code, kind) => {
    expect(outcome(status, bodyOf(code))).toEqual({ kind, reason: code })
    // The code in the body takes precedence over the HTTP status.
    expect(outcome(200, bodyOf(code))).toEqual({ kind, reason: code })
  })

  it.each([
    ['too many sends to topics', 200, '80100017'],
    ['OAuth service not reached', 500, '80600003'],
    ['internal error', 500, '81000001'],
    ['an unknown code of internal services', 500, '80600999'],
  ])('%s is a retry', (_what, status, code) => {
    expect(outcome(status, bodyOf(code))).toEqual({ ...RETRY, reason: code })
  })

  it.each([
    ['bad request', 400, 'rejected'],
    ['unauthorized', 401, 'credential'],
    ['forbidden', 403, 'credential'],
    ['a wrong URL, which contains the app id', 404, 'credential'],
    ['too large', 413, 'rejected'],
  ])('%s without a code', (_what, status, kind) => {
    expect(outcome(status, HTML)).toEqual({ kind, reason: `HTTP_${status}` })
  })

  it.each([302, 408, 429, 500, 502, 503, 504, 599])('status %i without a code is a retry', (status) => {
    expect(outcome(status, HTML)).toEqual({ ...RETRY, reason: `HTTP_${status}` })
  })

  it('with status 200 and an unreadable body is an ambiguous retry', () => {
    for (const body of [HTML, '', '[]', '{"code":80000000}', '{"code":"ok"}']) {
      expect(outcome(200, body)).toEqual({ ...RETRY, reason: 'BAD_ANSWER', maybeDelivered: true })
    }
  })

  it('honours Retry-After with traffic control', () => {
    expect(outcome(503, HTML, 't', '30')).toEqual({ kind: 'retry', reason: 'HTTP_503', afterMs: 30_000 })
  })
})

describe('the outcome of a partial success', () => {
  const partial = (msg: string) => bodyOf('80100000', msg)

  it('is sent for all tokens except the illegal ones, which are dead', () => {
    const body = partial('{"success":2,"failure":2,"illegal_tokens":["b","c"]}')
    const sent = { kind: 'sent', messageId: '157440955549500001002006' }
    const gone = { kind: 'tokenGone', reason: '80100000' }
    expect(['a', 'b', 'c', 'd'].map((token) => outcome(200, body, token))).toEqual([sent, gone, gone, sent])
  })

  it('keeps the devices of tokens that failed for another reason', () => {
    const body = partial('{"success":1,"failure":1,"illegal_tokens":[],"noRight":["b"]}')
    expect(outcome(200, body, 'b')).toEqual({ kind: 'rejected', reason: '80100000' })
    expect(outcome(200, body, 'a').kind).toBe('sent')
  })

  it('with an unreadable list is neither a retry nor sent', () => {
    for (const msg of ['', 'no JSON', '[]', '7']) {
      expect(outcome(200, partial(msg))).toEqual({ kind: 'rejected', reason: '80100000' })
    }
  })
})
