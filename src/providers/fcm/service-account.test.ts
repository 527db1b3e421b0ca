import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadServiceAccount, ServiceAccountError } from './service-account.ts'

const VALID = {
  type: 'service_account',
  project_id: 'shop-1',
  client_email: 'push@shop-1.iam.gserviceaccount.com',
  private_key: '-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n',
  token_uri: 'https://attacker.example/token',
}

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'centripush-account-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function fileWith(text: string): Promise<string> {
  const file = join(directory, 'account.json')
  await writeFile(file, text)
  return file
}

describe('a service account key', () => {
  it('is read without the hosts in the file', async () => {
    expect(await loadServiceAccount(await fileWith(JSON.stringify(VALID)))).toEqual({
      projectId: 'shop-1',
      clientEmail: 'push@shop-1.iam.gserviceaccount.com',
      privateKeyPem: VALID.private_key,
    })
  })

  it.each([
    ['a project that would change the path', { project_id: '../x' }, 'project_id'],
    ['a type of credential that contains hosts', { type: 'external_account' }, 'type'],
    ['no key', { private_key: '' }, 'private_key'],
  ])('is refused for %s, and the error names the field', async (_what, change, field) => {
    const file = await fileWith(JSON.stringify({ ...VALID, ...change }))
    await expect(loadServiceAccount(file)).rejects.toThrow(field)
  })

  it('is never quoted in an error', async () => {
    const error: unknown = await loadServiceAccount(await fileWith(VALID.private_key)).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(ServiceAccountError)
    expect(error).not.toMatchObject({ message: expect.stringContaining('PRIVATE') })
    expect(error).not.toHaveProperty('cause')
  })
})
