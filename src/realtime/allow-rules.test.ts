import { expect, test } from 'vitest'
import { AllowRules } from './allow-rules.ts'

const allows = (pattern: string, user: string, topic: string) => {
  try {
    new AllowRules({ topics: [pattern], metaKeys: [] }).checkTopics(user, [topic])
    return true
  } catch {
    return false
  }
}

test.each<[pattern: string, user: string, topic: string, isAllowed: boolean]>([
  ['news', 'u', 'news', true],
  ['news', 'u', 'News', false],
  ['news', 'u', 'news-', false],
  ['news-*', 'u', 'news-', true],
  ['news-*', 'u', 'a-news-b', false],
  ['*-news', 'u', 'a-news', true],
  ['*-news', 'u', 'a-news-b', false],
  ['a*b*c', 'u', 'a-b-b-c', true],
  ['a*b*c', 'u', 'a-c', false],
  // The parts before and after `*` do not share characters.
  ['ab*ba', 'u', 'aba', false],
  ['ab*ba', 'u', 'abba', true],
  ['a*b*b', 'u', 'ab', false],
  ['chat-{user}', 'u', 'chat-u', true],
  ['chat-{user}', 'u', 'chat-v', false],
  // The characters of a user stand for themselves.
  ['chat-{user}', '*', 'chat-v', false],
  ['chat-{user}', '*', 'chat-*', true],
  ['chat-{user}', '.+', 'chat-v', false],
  ['chat-{user}', '$&', 'chat-$&', true],
  ['chat-{user}', '{user}', 'chat-{user}', true],
  ['{user}*{user}', 'u', 'u-u', true],
  ['{user}*{user}', 'u', 'u', false],
])('the pattern %s for the user %s and the topic %s: %s', (pattern, user, topic, isAllowed) => {
  expect(allows(pattern, user, topic)).toBe(isAllowed)
})

test('a long topic and a pattern with several wildcards do not stop the server', () => {
  const startedAt = performance.now()
  expect(allows('*-*-*-x', 'u', '-'.repeat(3000))).toBe(false)
  // A matcher that goes back at each wildcard takes half a minute, this one less than a millisecond.
  expect(performance.now() - startedAt).toBeLessThan(2000)
})
