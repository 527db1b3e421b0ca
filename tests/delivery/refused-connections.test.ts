// Node warns on standard error, outside the log, of many listeners on one signal.
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { LeaseKeeper } from '../../src/delivery/lease-keeper.ts'
import { sendOneByOne } from '../../src/delivery/one-by-one.ts'
import { CircuitBreaker } from '../../src/http2/circuit-breaker.ts'
import { Http2Pool } from '../../src/http2/http2-pool.ts'
import { ApnsProvider } from '../../src/providers/apns/apns.ts'
import { parseSigningKey } from '../../src/providers/apns/signing-key.ts'
import type { Batch, Personal } from '../../src/providers/provider.ts'
import type { ClaimKey } from '../../src/queue/batch.ts'
import { LocalCredentialCache } from '../support/local-credential-cache.ts'
import { makeTestLogger } from '../support/run-log.ts'

const REFUSED = 1000
/** Batches that wait for each connection. */
const BATCHES = 2
const TARGETS = 20

const PERSONAL: Personal = {
  prepareJson: (json) => (_, body) => body.bytes(json),
  headersOf: () => new Map(),
}
const BATCH: Batch = {
  uid: 'u',
  notification: { json: Buffer.from('{"aps":{"alert":"hi"}}'), headers: new Map() },
  targetKind: 'token',
  targets: Array.from({ length: TARGETS }, (_, n) => `a${n}`),
}
const CLAIM: ClaimKey = {
  id: '1',
  uid: 'u',
  lane: 'broadcast',
  provider: 'apns',
  targetKind: 'token',
  fence: 1,
  attempt: 1,
}

/** A server that resets each connection. */
async function startRefusing() {
  let refused = 0
  const server = createServer((socket) => {
    refused++
    socket.resetAndDestroy()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { origin: `https://127.0.0.1:${port}`, count: () => refused }
}

function openProvider(endpoint: string): ApnsProvider {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const provider = new ApnsProvider({
    endpoint,
    bundleId: 'a.b',
    auth: { kind: 'token', key: parseSigningKey(pem, 'ABCDEFGHIJ', 'ABCDEFGHIJ'), cache: new LocalCredentialCache() },
    logger: makeTestLogger(),
    openClient: (options) =>
      new Http2Pool({
        ...options,
        timing: { reconnectMinMs: 1, reconnectMaxMs: 1 },
        // Probes without pauses: the thousand connections would last hours otherwise.
        breaker: new CircuitBreaker({ timing: { downAfterMs: 0, firstProbeMs: 0, maxProbeMs: 0 } }),
      }),
  })
  onTestFinished(() => provider.close())
  return provider
}

test('personal batches that wait for a thousand refused connections cause no warning of Node', async () => {
  const warnings: string[] = []
  const onWarning = ({ message }: Error) => warnings.push(message)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  const server = await startRefusing()
  const provider = openProvider(server.origin)
  const queue = {
    confirm: async (claims: readonly ClaimKey[]) => claims.map(() => 'valid' as const),
    checkpoint: async () => {},
  }
  const leases = new LeaseKeeper({ queue, logger: makeTestLogger(), leaseMs: 15_000, heartbeatMs: 1000 })
  onTestFinished(() => leases.close())
  const deliver = async (id: string) => {
    while (server.count() < REFUSED) {
      const { signal } = leases.hold({ ...CLAIM, id }, performance.now())
      await sendOneByOne(provider, BATCH, PERSONAL, () => undefined, signal)
    }
  }
  await Promise.all(Array.from({ length: BATCHES }, (_, batch) => deliver(`${batch}`)))
  expect(warnings).toEqual([])
})
