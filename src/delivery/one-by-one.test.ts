import { expect, test } from 'vitest'
import type { Batch, Provider } from '../providers/provider.ts'
import { sendOneByOne } from './one-by-one.ts'

test('each target is sent under the confirmation of the batch, and withdrawn by its own index', async () => {
  const batches: Batch[] = []
  const provider: Provider = {
    name: 'apns',
    send: async (batch) => void batches.push(batch),
    close: async () => undefined,
  }
  const personal = { prepareJson: () => () => undefined, headersOf: () => new Map() }
  const confirmation = { untilMs: 7, renewed: async () => undefined }
  const batch: Batch = {
    uid: 'u',
    notification: { json: Buffer.from('{}'), headers: new Map() },
    targetKind: 'token',
    targets: ['a', 'b'],
    isWithdrawn: (index) => index === 1,
    confirmation,
  }
  await sendOneByOne(provider, batch, personal, () => undefined, new AbortController().signal)
  expect(batches.map((single) => [single.confirmation, single.isWithdrawn?.(0)])).toEqual([
    [confirmation, false],
    [confirmation, true],
  ])
})
