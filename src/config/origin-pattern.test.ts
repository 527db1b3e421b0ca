import { expect, test } from 'vitest'
import { compileOriginPattern } from './origin-pattern.ts'

test.each([
  ['*', ['https://a.example.com', 'https://a:1'], []],
  [
    'https://push.example.com',
    ['https://push.example.com'],
    ['https://pushxexample.com', 'https://push.example.com.evil'],
  ],
  [
    'https://*.Example.com',
    ['https://a.example.com', 'https://a.b.example.com'],
    ['https://example.com', 'https://a.example.com:1'],
  ],
  [
    'https://push?.example.com',
    ['https://push1.example.com'],
    ['https://push.example.com', 'https://push12.example.com'],
  ],
  ['https://[a-c!]x', ['https://bx', 'https://!x'], ['https://dx', 'https://-x']],
  ['https://[!a-c]x', ['https://dx'], ['https://ax']],
  ['https://{a,b*}.c', ['https://a.c', 'https://bcd.c'], ['https://c.c', 'https://{a,b}.c']],
  ['https://{a,{b,c}}', ['https://a', 'https://c'], ['https://d']],
  ['https://\\*.c', ['https://*.c'], ['https://a.c']],
])('%s matches %j and does not match %j', (pattern, matching, others) => {
  const expression = compileOriginPattern(pattern)
  for (const origin of matching) expect(origin).toMatch(expression ?? 'a pattern')
  for (const origin of others) expect(origin).not.toMatch(expression ?? '')
})

test.each(['https://[a', 'https://[]', 'https://{a', 'https://{a,b', 'https://a}', 'https://a]', '\\', '[z-a]'])(
  '%s is malformed',
  (pattern) => {
    expect(compileOriginPattern(pattern)).toBeUndefined()
  },
)
