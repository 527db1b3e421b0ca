// Several servers without a cluster, and TLS.
import { once } from 'node:events'
import { request } from 'node:http'
import { createServer } from 'node:https'
import * as v from 'valibot'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { ClickhouseServer } from '../../src/analytics/clickhouse/clickhouse-server.ts'
import { clientTls, readClientTls } from '../../src/config/client-tls.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { findFreePort } from '../support/centripush-process.ts'
import { TestClickhouse } from '../support/clickhouse/clickhouse-server.ts'
import { type FaultProxy, startFaultProxy } from '../support/clickhouse/fault-proxy.ts'
import { describeOnClickhouse } from './describe-on-clickhouse.ts'
import { resetTables, startWriter } from './writer-rig.ts'

describeOnClickhouse('servers without a cluster', () => {
  let clickhouse: TestClickhouse
  let proxies: FaultProxy[]
  beforeAll(async () => {
    clickhouse = await TestClickhouse.start()
  })
  afterAll(() => clickhouse.stop())
  beforeEach(async () => {
    await resetTables(clickhouse)
    proxies = [await startFaultProxy(clickhouse.port), await startFaultProxy(clickhouse.port)]
    onTestFinished(async () => void (await Promise.all(proxies.map((proxy) => proxy.stop()))))
  })

  test('a batch that one of them may have stored is repeated only there', async () => {
    const [first, second] = proxies
    const writer = await startWriter({ urls: proxies.map(({ url }) => url) })
    first?.set('loseAnswer')
    writer.record(100)
    await vi.waitFor(() => expect(first?.inserts).toBeGreaterThan(3), { timeout: 10_000, interval: 5 })
    first?.set('forward')
    await vi.waitFor(() => expect(writer.analytics.rows).toBe(0), { timeout: 10_000, interval: 5 })
    expect(second?.inserts).toBe(0)
  })

  test('a batch that one of them can not have got is inserted into another', async () => {
    const [, second] = proxies
    const unreachable = `http://127.0.0.1:${await findFreePort()}`
    const writer = await startWriter({ urls: [unreachable, second?.url ?? ''] })
    writer.record(100)
    await vi.waitFor(() => expect(writer.analytics.rows).toBe(0), { timeout: 10_000, interval: 5 })
    expect(second?.inserts).toBe(1)
  })

  test('the certificate is checked with server_ca_pem and server_name, unless insecure_skip_verify is set', async () => {
    const { caCert, cert, key } = await makeCertificates()
    const proxy = createServer({ cert, key }, (incoming, outgoing) => {
      const { method, url: path, headers } = incoming
      incoming.pipe(
        request({ host: '127.0.0.1', port: clickhouse.port, method, path, headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.pipe(outgoing)
        }),
      )
    })
    await once(proxy.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void proxy.close().closeAllConnections())
    const address = proxy.address()
    const url = `https://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
    const ping = async (options: v.InferInput<typeof clientTls>) => {
      const tls = readClientTls('clickhouse_analytics.tls', v.parse(clientTls, options))
      const server = new ClickhouseServer({ url, user: 'default', password: '', tls })
      return await server.ping().finally(() => server.close())
    }
    await ping({ server_ca_pem: caCert })
    await ping({ server_ca_pem: caCert, server_name: 'localhost' })
    await ping({ insecure_skip_verify: true })
    await expect(ping({})).rejects.toThrow(/certificate/)
    await expect(ping({ server_ca_pem: caCert, server_name: 'other.example' })).rejects.toThrow(/does not match/)
  })
})
