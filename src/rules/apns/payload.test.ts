import { expect, it } from 'vitest'
import { writeNumbers } from './payload.ts'

const write = (payload: string) => writeNumbers(Buffer.from(payload)).toString()

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
  // Texts, as PHP and form fields have them.
  ['{"aps":{"content-available":"1"}}', '{"aps":{"content-available":1}}'],
  ['{"aps":{"content-available":"true"}}', '{"aps":{"content-available":1}}'],
  ['{"aps":{"mutable-content":"0","alert":"1"}}', '{"aps":{"mutable-content":0,"alert":"1"}}'],
  ['{"aps":{"sound":{"critical":"1","name":"1"}}}', '{"aps":{"sound":{"critical":1,"name":"1"}}}'],
  ['{"aps":{"badge":"5"}}', '{"aps":{"badge":5}}'],
  ['{"aps":{"badge":"0","content-available":true}}', '{"aps":{"badge":0,"content-available":1}}'],
  ['{"aps":{"badge":"1","badge":"2"},"a":"b"}', '{"aps":{"badge":1,"badge":2},"a":"b"}'],
  // No numbers, or not Apple's fields.
  ['{"aps":{"badge":true}}', '{"aps":{"badge":true}}'],
  ['{"aps":{"badge":"05"}}', '{"aps":{"badge":"05"}}'],
  ['{"aps":{"badge":"many"}}', '{"aps":{"badge":"many"}}'],
  ['{"aps":{"content-available":"yes"}}', '{"aps":{"content-available":"yes"}}'],
  ['{"aps":{"content-available":2}}', '{"aps":{"content-available":2}}'],
  ['{"aps":{"alert":"a"},"badge":"5"}', '{"aps":{"alert":"a"},"badge":"5"}'],
  ['{"aps":true}', '{"aps":true}'],
  ['{"a":12345678901234567890}', '{"a":12345678901234567890}'],
])('of %s the numbers of Apple are written as numbers', (payload, expected) => {
  expect(write(payload)).toBe(expected)
})
