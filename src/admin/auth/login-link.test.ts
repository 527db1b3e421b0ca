import { expect, test } from 'vitest'
import { LoginLink } from './login-link.ts'

test('a link logs in once', () => {
  const link = new LoginLink(() => 0)
  const { token } = link
  expect(link.use('')).toBe(false)
  expect(link.use(`${token}A`)).toBe(false)
  expect(link.use(token)).toBe(true)
  expect(link.use(token)).toBe(false)
  expect(link.token).toBe('')
})

test('a link is valid for an hour', () => {
  let nowMs = 0
  const link = new LoginLink(() => nowMs)
  nowMs = 3_600_001
  expect(link.use(link.token)).toBe(false)
})
