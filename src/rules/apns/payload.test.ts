import { expect, it } from 'vitest'
import { writeSwitches } from './payload.ts'

const write = (payload: string) => writeSwitches(Buffer.from(payload)).toString()

it.each([
  ['{"aps":{"content-available":true}}', '{"aps":{"content-available":1}}'],
  ['{"aps":{"mutable-content":true,"alert":"a"}}', '{"aps":{"mutable-content":1,"alert":"a"}}'],
  ['{ "aps" : { "content-available" : false } , "f" : 1.0 }', '{ "aps" : { "content-available" : 0 } , "f" : 1.0 }'],
  [
    '{"aps":{"sound":{"critical":true,"name":"a"},"mutable-content":true,"content-available":true}}',
    '{"aps":{"sound":{"critical":1,"name":"a"},"mutable-content":1,"content-available":1}}',
  ],
  ['{"aps":{"content-changed":true}}', '{"aps":{"content-changed":true}}'],
  [
    '{"aps":{"content-available":1},"content-available":true}',
    '{"aps":{"content-available":1},"content-available":true}',
  ],
  ['{"aps":true}', '{"aps":true}'],
  ['{"a":12345678901234567890}', '{"a":12345678901234567890}'],
])('of %s the switches of Apple are numbers', (payload, expected) => {
  expect(write(payload)).toBe(expected)
})
