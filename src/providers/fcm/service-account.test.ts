import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { FcmCredentialError, readServiceAccount } from './service-account.ts'

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

const VALID = {
  type: 'service_account',
  project_id: 'shop-1',
  client_email: 'push@shop-1.iam.gserviceaccount.com',
  private_key: privateKey,
  token_uri: 'https://attacker.example/token',
}

describe('a service account key', () => {
  it('is read without the hosts in the file', () => {
    expect(readServiceAccount(VALID)).toEqual({
      projectId: 'shop-1',
      clientEmail: 'push@shop-1.iam.gserviceaccount.com',
      privateKeyPem: privateKey,
    })
  })

  it('sends for the project of the configuration if there is one', () => {
    expect(readServiceAccount(VALID, 'shop-2')).toMatchObject({ projectId: 'shop-2' })
    expect(readServiceAccount({ ...VALID, project_id: undefined }, 'shop-2')).toMatchObject({ projectId: 'shop-2' })
  })

  it.each([
    ['a project that would change the path', { project_id: '../x' }, 'project_id'],
    ['a type of credential that contains hosts', { type: 'external_account' }, 'type'],
    ['no key', { private_key: '' }, 'private_key'],
  ])('is refused for %s, and the error names the field', (_what, change, field) => {
    expect(() => readServiceAccount({ ...VALID, ...change })).toThrow(field)
  })

  it('is never quoted in an error', () => {
    const read = () => readServiceAccount({ ...VALID, private_key: privateKey.slice(0, 500) })
    expect(read).toThrow(FcmCredentialError)
    expect(read).not.toThrow(/MII|PRIVATE/)
  })
})
