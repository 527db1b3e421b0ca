import { expect, test } from 'vitest'
import { fieldOfToken, findConditionProblem, findTopicProblem, isInstallationId, nameOfTopic } from './targets.ts'

test.each(['news', 'a', 'A-Z_0.9~%', '%2F', 'x'.repeat(900)])('%s is a topic', (topic) => {
  expect(findTopicProblem(topic)).toBeUndefined()
})

test.each(['', 'new s', 'a/b', 'ü', "'a'", '/topics/a', 'a\n', '*', 'a,b'])('"%s" is no topic', (topic) => {
  expect(findTopicProblem(topic)).toBeDefined()
})

test('a topic may have the prefix of the legacy API once', () => {
  expect(nameOfTopic('/topics/news')).toBe('news')
  expect(nameOfTopic('news')).toBe('news')
  expect(findTopicProblem(nameOfTopic('/topics//topics/news'))).toBeDefined()
  expect(findTopicProblem(nameOfTopic('/topics/'))).toBeDefined()
})

test.each([
  "'a' in topics",
  " 'a' in topics ",
  "'a' in topics && 'b' in topics",
  "'a' in topics&&'b' in topics",
  "'a' in topics || 'b' in topics",
  "'a' in topics && ('b' in topics || 'c' in topics)",
  "!('a' in topics)",
  "!'a' in topics",
  "((('a' in topics)))",
  "('a' in topics || 'b' in topics) && !('c' in topics)",
  "'a-Z_0.9~%' in topics",
  "'a' in topics || 'b' in topics || 'c' in topics || 'd' in topics || 'e' in topics",
  "'a' in topics || 'a' in topics || 'a' in topics || 'a' in topics || 'a' in topics || 'a' in topics",
])('%s is a condition', (condition) => {
  expect(findConditionProblem(condition)).toBeUndefined()
})

test.each([
  '',
  ' ',
  'a',
  'a in topics',
  '"a" in topics',
  "'a'",
  "'a' in",
  "'a' in topic",
  "'a' in topicsX",
  "'a b' in topics",
  "'' in topics",
  "'a' in topics &&",
  "&& 'a' in topics",
  "'a' in topics & 'b' in topics",
  "'a' in topics and 'b' in topics",
  "'a' in topics 'b' in topics",
  "('a' in topics",
  "'a' in topics)",
  ")'a' in topics(",
  '()',
  "'a' in topics !",
  "'a' in topics || 'b' in topics || 'c' in topics || 'd' in topics || 'e' in topics || 'f' in topics",
])('"%s" is no condition', (condition) => {
  expect(findConditionProblem(condition)).toBeDefined()
})

test('an installation id is known by its form', () => {
  for (const id of ['cIjyJAs9QRGSyFLCXPKrPJ', 'd'.repeat(22), 'e-_AZaz09-_AZaz09-_AZa', 'fWbuyxZKRxO2xzzUUrr3rx']) {
    expect([id, isInstallationId(id), fieldOfToken(id)]).toEqual([id, true, 'fid'])
  }
  const registration = `cIjyJAs9QRGSyFLCXPKrPJ:APA91b${'x'.repeat(134)}`
  for (const token of [
    registration,
    'b'.repeat(22),
    'g'.repeat(22),
    'C'.repeat(22),
    'c'.repeat(21),
    'c'.repeat(23),
    `c${'+'.repeat(21)}`,
  ]) {
    expect([token, isInstallationId(token), fieldOfToken(token)]).toEqual([token, false, 'token'])
  }
})
