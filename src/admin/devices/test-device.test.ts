import { expect, test } from 'vitest'
import { makeTestDevice } from './test-device.tsx'

test('a test device belongs to a sandbox, so no real provider gets its token', () => {
  expect(makeTestDevice(new Set(['hms', 'webpush']))).toMatchObject({ provider: 'hms' })
  expect(makeTestDevice(new Set(['webpush']))).toBeUndefined()
  expect(makeTestDevice(new Set())).toBeUndefined()
})
