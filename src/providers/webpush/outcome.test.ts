import { describe, expect, it } from 'vitest'
import { outcomeOf } from './outcome.ts'

const NOW = Date.parse('2026-03-01T00:00:00Z')
const PLAIN = { retryAfter: undefined, location: undefined, body: '', isWns: false }

describe('the outcome of an answer of a push service', () => {
  it.each([
    [200, 'sent'],
    [201, 'sent'],
    [202, 'sent'],
    [301, 'rejected'],
    [302, 'rejected'],
    [307, 'rejected'],
    [400, 'rejected'],
    [401, 'credential'],
    [403, 'credential'],
    [404, 'tokenGone'],
    [405, 'rejected'],
    [406, 'rejected'],
    [408, 'retry'],
    [410, 'tokenGone'],
    [413, 'rejected'],
    [429, 'retry'],
    [500, 'retry'],
    [502, 'retry'],
    [503, 'retry'],
    [504, 'retry'],
    [599, 'retry'],
  ])('%i: %s', (status, kind) => {
    const reason = `HTTP_${status}`
    const expected = {
      sent: { kind, messageId: '' },
      retry: { kind, reason, minDelayMs: 10_000 },
    }
    const plain = { kind, reason }
    expect(outcomeOf({ ...PLAIN, status }, NOW)).toEqual(kind === 'sent' || kind === 'retry' ? expected[kind] : plain)
  })

  it('has the URL of the message as its id', () => {
    const answer = { ...PLAIN, status: 201, location: 'https://push.example.com/m/1' }
    expect(outcomeOf(answer, NOW)).toEqual({ kind: 'sent', messageId: 'https://push.example.com/m/1' })
  })

  it.each([429, 500, 503])('honours Retry-After with %i', (status) => {
    const answer = { ...PLAIN, status, retryAfter: '77' }
    expect(outcomeOf(answer, NOW)).toEqual({ kind: 'retry', reason: `HTTP_${status}`, afterMs: 77_000 })
  })

  it('is a retry for 406 from the Windows service', () => {
    expect(outcomeOf({ ...PLAIN, status: 406, isWns: true }, NOW)).toMatchObject({ kind: 'retry' })
    expect(outcomeOf({ ...PLAIN, status: 406, isWns: true, retryAfter: '9' }, NOW)).toMatchObject({ afterMs: 9000 })
  })

  it('is a refused credential for UnauthorizedRegistration from FCM', () => {
    const body = '<HTML><TITLE>UnauthorizedRegistration</TITLE></HTML>'
    expect(outcomeOf({ ...PLAIN, status: 400, body }, NOW)).toEqual({ kind: 'credential', reason: 'HTTP_400' })
  })
})
