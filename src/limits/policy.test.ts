import { describe, expect, test } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import { ApiError } from '../protocol/errors.ts'
import { isPerDevice, renderKey } from './key-template.ts'
import { parseRateLimit } from './policy.ts'

const POLICY = { rate: 1, interval_ms: 60_000 }
const DEVICE = { id: 'D1', user: 'anna' }

function wire(given: Partial<Parameters<typeof parseRateLimit>[0]> = {}) {
  return { key: '', policies: [POLICY], drop_if_rate_limited: false, ...given }
}

function refusal(given: Parameters<typeof wire>[0]): string {
  try {
    parseRateLimit(wire(given))
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'badRequest') return error.message
    throw error
  }
  return ''
}

function keyOf(key: string, device = DEVICE): string {
  const limit = parseRateLimit(wire({ key }))
  return limit ? renderKey(limit.key, device) : ''
}

test('reads all policies of a request, and whether limited pushes are dropped', () => {
  const policies = [
    { rate: 1, interval_ms: 1 },
    { rate: 1000, interval_ms: 2_147_483_647 },
  ]
  expect(parseRateLimit(wire({ policies, drop_if_rate_limited: true }))).toMatchObject({
    policies: [
      { rate: 1, intervalMs: 1 },
      { rate: 1000, intervalMs: 2_147_483_647 },
    ],
    isDropped: true,
  })
})

test('a request without policies has no rate limit', () => {
  expect(parseRateLimit(wire({ policies: [] }))).toBeUndefined()
})

describe('an invalid policy is refused, and the error names its field', () => {
  const second = (policy: Partial<typeof POLICY>) => ({ policies: [POLICY, { ...POLICY, ...policy }] })
  test.each([
    [second({ rate: 0 }), 'limit_strategy.rate_limit.policies[1].rate: '],
    [second({ rate: -1 }), 'limit_strategy.rate_limit.policies[1].rate: '],
    [second({ rate: 1001 }), 'limit_strategy.rate_limit.policies[1].rate: '],
    [second({ interval_ms: 0 }), 'limit_strategy.rate_limit.policies[1].interval_ms: '],
    [second({ interval_ms: -5 }), 'limit_strategy.rate_limit.policies[1].interval_ms: '],
    [second({ interval_ms: 2 ** 31 }), 'limit_strategy.rate_limit.policies[1].interval_ms: '],
    [{ policies: Array(11).fill(POLICY) }, 'limit_strategy.rate_limit.policies: '],
  ])('%j', (given, message) => {
    expect(refusal(given)).toContain(message)
  })
})

describe('a rate limit key', () => {
  test.each([
    ['', 'D1'],
    ['device.id', 'D1'],
    ['device.user', 'anna'],
    ['.device.user', 'anna'],
    ['{{.device.user}}', 'anna'],
    ['{{ device.id }}', 'D1'],
    ['promo:{{.device.user}}', 'promo:anna'],
    ['promo:device.user', 'promo:anna'],
    ['promo.device.user', 'promo.anna'],
    ['{{.device.id}}/{{.device.user}}', 'D1/anna'],
    ['{device.id}', '{D1}'],
    ['everybody', 'everybody'],
    ['mydevice.id', 'mydevice.id'],
    ['device.identity', 'device.identity'],
    ['device', 'device'],
  ])('%j renders as %j', (key, rendered) => {
    expect(keyOf(key)).toBe(rendered)
  })

  test('has the device id in place of the user for a device without a user', () => {
    expect(keyOf('promo:{{.device.user}}', { id: 'D1', user: '' })).toBe('promo:D1')
  })

  test('that contains the device id differs for any two devices, even if a user is named like an id', () => {
    // Texts of few letters and lengths, so that equal keys are likely. All ids have one length, as device ids do.
    const text = (minLength: number, maxLength: number) =>
      fc.string({ unit: fc.constantFrom('a', 'b'), minLength, maxLength })
    const device = fc.record({ id: text(2, 2), user: text(0, 4) })
    const part = fc.oneof(
      text(1, 2),
      fc.constant({ variable: 'id' as const }),
      fc.constant({ variable: 'user' as const }),
    )
    void fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), device, device, (template, one, other) => {
        fc.pre(one.id !== other.id && isPerDevice(template))
        expect(renderKey(template, one)).not.toBe(renderKey(template, other))
      }),
      { numRuns: 5000 },
    )
    expect(isPerDevice(['device', { variable: 'user' }])).toBe(false)
  })

  test('contains the user without interpreting it as a template', () => {
    expect(keyOf('{{.device.user}}', { id: 'D1', user: '{{.device.id}} $& device.id' })).toBe(
      '{{.device.id}} $& device.id',
    )
  })

  test.each([
    ['{{.device.meta.name}}'],
    ['{{.device.user | upper}}'],
    ['{{user}}'],
    ['{{.device.user}'],
    ['a}}'],
    ['a\tb'],
    ['a\u0000'],
    ['\ud800'],
    ['x'.repeat(257)],
    ['device.id '.repeat(5)],
  ])('%j is refused', (key) => {
    expect(refusal({ key })).toContain('limit_strategy.rate_limit.key: ')
  })
})
