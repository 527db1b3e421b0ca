import { expect, test } from 'vitest'
import { findLeaks } from './find-leaks.ts'
import { PAYLOAD_MARK, TOKEN_MARK } from './run-log.ts'

const SECRETS = new Set(['device-17', 'APA91:of-a-phone', 'tok.en-1'])

test.each([
  '{"token":"device-17"}',
  'fcm: device-17 was refused',
  'failed: https://fcm.example/v1/device-17?x=1',
  '{"msg":"token=device-17"}',
  '{"err":"{\\"token\\":\\"APA91:of-a-phone\\"}"}',
  'the tokens [tok.en-1, tok.en-2]',
  '{"lines":"01ARZ3\\tdevice-17\\tanna\\n01ARZ4\\tdevice-18"}',
  '{"authorization":"Bearer abcdef123"}',
  'eyJhbGciOiJFUzI1NiJ9.e30.x',
  '-----BEGIN PRIVATE KEY-----',
  'simulated.q83vEjRWeJASNFZ4kBI0VniQ',
  `a device ${'0a'.repeat(32)} is gone`,
  `{"keys":{"p256dh":"B${'x'.repeat(86)}"}}`,
  'POST https://localhost:443/push/browser-1',
  '{"path":"/push/browser-1"}',
  'POST /3/device/reset-1',
  `{"illegal_tokens":["${TOKEN_MARK}-1"]}`,
  `{"payload":{"title":"${PAYLOAD_MARK}"}}`,
])('%s is a leak', (line) => {
  expect(findLeaks(`{"msg":"started"}\n${line}\n`, SECRETS)).toEqual([{ what: expect.any(String), line }])
})

test.each([
  '{"msg":"push: settled","uid":"3b241101-e2bb-4255-8caf-4136c566a962","origin":"https://127.0.0.1:4000"}',
  '{"msg":"device-170 is another one"}',
  '{"msg":"listening on http://127.0.0.1:8000/api"}',
  '{"stack":"Error\\n    at Object.read (/srv/centripush/src/push/page-reader.ts:50:14)"}',
])('%s is none', (line) => {
  expect(findLeaks(line, SECRETS)).toEqual([])
})
