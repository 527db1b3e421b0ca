// A worker whose looks at the store get no answer, with each provider and its simulator.
import { afterEach, expect, test, vi } from 'vitest'
import { PROVIDER_NAMES } from '../../src/config/provider-names.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { pause } from '../../src/timing/pause.ts'
import { startAssembly } from '../support/assembly.ts'
import { createTestDatabase } from '../support/database.ts'
import { PUSH_SERVICES } from '../support/push-services.ts'

/** A claim that takes longer than this does not confirm its batches. */
const MAX_AGE_MS = 800
const PUSHES = 3

afterEach(() => void vi.restoreAllMocks())

test.for(PROVIDER_NAMES)(
  'hands nothing to %s until a look confirms its claim',
  async (provider, { onTestFinished }) => {
    const database = await createTestDatabase()
    const service = await PUSH_SERVICES[provider]()
    const { claimBatches, confirm } = PostgresQueue.prototype
    vi.spyOn(PostgresQueue.prototype, 'claimBatches').mockImplementation(async function (
      this: PostgresQueue,
      ...query
    ) {
      const claims = await claimBatches.apply(this, query)
      if (claims.length > 0) await pause(MAX_AGE_MS + 1, new AbortController().signal)
      return claims
    })
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const looks = vi.spyOn(PostgresQueue.prototype, 'confirm').mockImplementation(async function (
      this: PostgresQueue,
      ...claims
    ) {
      await answered
      return confirm.apply(this, claims)
    })
    const server = await startAssembly(database.dsn, {
      push_notifications: { enabled_providers: [provider], [provider]: service.options },
    })
    onTestFinished(async () => {
      answer()
      await server.stop(5000)
      await service.stop()
      await database.drop()
    })
    const { notification } = service
    await server.post('/send_push_notification', { recipient: service.recipient(PUSHES), notification })
    // The third look of an outdated claim begins when the request has asked for one and waits.
    await vi.waitFor(() => expect(looks).toHaveBeenCalledTimes(3), { timeout: 10_000 })
    expect(service.accepted()).toEqual([])
    answer()
    await service.waitForAccepted(PUSHES)
  },
)
