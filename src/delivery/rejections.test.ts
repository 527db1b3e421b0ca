import { expect, it } from 'vitest'
import type { Outcome } from '../providers/provider.ts'
import { listRejections } from './rejections.ts'

const UUID = '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b'
const device = { line: `${UUID}\ttoken\tuser\tios`, place: 0 }
const raw = { line: '\ttoken\t\t', place: 0 }

const rejected = (reason: string, field?: string): Outcome => ({ kind: 'rejected', reason, ...(field && { field }) })

it('groups rejected targets by reason and field, with the ids of at most five devices', () => {
  const bad = rejected('BadDeviceToken')
  const outcomes = [
    bad,
    { kind: 'sent', messageId: '' } as const,
    undefined,
    rejected('HTTP_400', 'message.data[0].value'),
  ]
  const targets = [device, device, device, raw, ...Array.from({ length: 9 }, () => device)]
  const all = [...outcomes, ...Array.from({ length: 9 }, () => bad)]
  expect(listRejections('apns', targets, all)).toEqual([
    {
      reason: 'BadDeviceToken',
      field: undefined,
      count: 10,
      devices: Array(5).fill(expect.stringMatching(/^\w{26}-apns$/)),
    },
    { reason: 'HTTP_400', field: 'message.data[0].value', count: 1, devices: [] },
  ])
})

it('has no group without rejected targets', () => {
  expect(listRejections('fcm', [raw], [{ kind: 'retry', reason: 'timeout' }])).toEqual([])
})
