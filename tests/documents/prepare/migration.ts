// Documents whose configuration names a database and a node, and that import from another server and a table of tokens.
import { readFile } from 'node:fs/promises'
import { startRecordedNode } from '../../../compat-tests/sdk/recorded-node.ts'
import { startAssembly, TEST_KEY } from '../../support/assembly.ts'
import { createTestDatabase } from '../../support/database.ts'
import { startFcmSimulator } from '../../support/fcm-simulator.ts'
import { makeStandIns, type Parts } from '../stand-ins.ts'
import type { Prepared, RunningParts } from './parts.ts'
import { callAll } from './server.ts'

const KEY = 'the-key-your-backend-sends'

/** Prepares a database, a node, a server to import from and the old table of tokens. Providers get no push. */
export async function prepareMigration(running: RunningParts, parts: Parts = {}): Promise<Prepared> {
  const [database, pro] = await Promise.all([
    running.add(createTestDatabase(), (made) => made.drop()),
    running.add(createTestDatabase(), (made) => made.drop()),
  ])
  const node = await running.add(startRecordedNode(), (started) => started.stop())
  const other = await running.add(startAssembly(pro.dsn), (started) => started.stop(1000))
  const device = { provider: 'fcm', platform: 'android', user: '42', topics: ['news'] }
  await callAll(other, [
    ...[1, 2, 3].map((number) => ({ device_register: { ...device, token: `token-of-pro-${number}` } })),
    { user_topic_update: { user: '42', op: 'add', topics: ['chat-42'] } },
  ])
  await pro.sql`create table tokens (platform text, token text, user_id int, language text, seen_at timestamptz)`
  await pro.sql`insert into tokens values ('android', 'old-1', 42, 'de', now()), ('android', 'old-2', 43, null, now()),
    ('ios', ${'ab'.repeat(32)}, 42, 'pt_BR', now() - interval '1 day')`
  const texts = {
    'postgresql://user:password@127.0.0.1:5432/centripush': database.dsn,
    'http://127.0.0.1:8001': node.address,
    'the-nodes-own-key': node.key,
    'https://pro.example.com': other.url,
  }
  const credentials = { 'service-account.json': await makeServiceAccount(), 'pro.key': TEST_KEY }
  const env = { OLD_DATABASE: pro.dsn, CENTRIPUSH_PUSH_NOTIFICATIONS_DRY_RUN: 'true' }
  return { standIns: await makeStandIns({ key: KEY, texts, credentials, env, ...parts }) }
}

/** The key file of a service account, which the simulator makes at its start. */
export async function makeServiceAccount(): Promise<string> {
  const { simulator, stop } = await startFcmSimulator()
  const file = await readFile(simulator.files.credentials, 'utf8')
  await stop()
  return file
}
