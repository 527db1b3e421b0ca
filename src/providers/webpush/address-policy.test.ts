import { describe, expect, it } from 'vitest'
import { makeAddressPolicy } from './address-policy.ts'

describe('the address of a push service', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '100.127.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '::ffff:10.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1',
    '2002:7f00:1::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:db8::1',
    '100::1',
    'fc00::1',
    'fd00::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '5f00::1',
    'localhost',
    '',
  ])('may not be %s', (address) => {
    expect(makeAddressPolicy([])(address)).toBe(false)
  })

  it.each([
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '223.255.255.255',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2606:4700::1111',
    '2a00:1450:4001:829::200a',
  ])('may be %s', (address) => {
    expect(makeAddressPolicy([])(address)).toBe(true)
  })

  it('may be in a configured private network, and in no other', () => {
    const isAllowed = makeAddressPolicy(['10.1.0.0/16', 'fd00:1::/32', '127.0.0.1/32'])
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd00:1::5', '127.0.0.1', '8.8.8.8']) {
      expect([address, isAllowed(address)]).toEqual([address, true])
    }
    for (const address of ['10.2.0.1', '::ffff:10.2.0.1', 'fd00:2::5', '127.0.0.2', '::1']) {
      expect([address, isAllowed(address)]).toEqual([address, false])
    }
  })
})
