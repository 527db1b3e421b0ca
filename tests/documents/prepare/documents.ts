// The parts of each document beside its own blocks.
import { join, resolve } from 'node:path'
import { makePythonEnvironment } from '../../../compat-tests/sdk/python-environment.ts'
import { prepareToolchain } from '../../../compat-tests/sdk/toolchain.ts'
import { makeStandIns } from '../stand-ins.ts'
import { makeServiceAccount, prepareMigration } from './migration.ts'
import { prepareNotifications } from './notifications.ts'
import { type Prepared, RunningParts } from './parts.ts'
import { prepareRealtime } from './realtime.ts'
import { prepareReports } from './reports.ts'
import { prepareServer } from './server.ts'
import { prepareTemplates } from './templates.ts'

const PYTHON_PACKAGES = join(resolve(import.meta.dirname, '../../..'), 'compat-tests/sdk/python/requirements.txt')

const PREPARATIONS: Readonly<Record<string, (running: RunningParts) => Promise<Prepared>>> = {
  'README.md': async (running) => {
    const { tools: python } = await prepareToolchain('cent, the Python SDK,', () =>
      makePythonEnvironment(PYTHON_PACKAGES, 'cent'),
    )
    return { ...(await prepareMigration(running, { python })), isPythonMissing: python === undefined }
  },
  'docs/connections.md': async () => ({ standIns: await makeStandIns({ credentials: { 'ca.crt': '' } }) }),
  'docs/install.md': async () => {
    const credentials = { 'service-account.json': await makeServiceAccount() }
    return { standIns: await makeStandIns({ key: 'my-first-key', credentials }) }
  },
  'docs/migrate.md': prepareMigration,
  'docs/notifications.md': prepareNotifications,
  'docs/operations.md': async (running) => await prepareServer(running),
  'docs/realtime.md': prepareRealtime,
  'docs/reports.md': prepareReports,
  'docs/templates.md': prepareTemplates,
}

/** Prepares the run of a document. */
export async function prepareDocument(name: string): Promise<Prepared & { stop(): Promise<void> }> {
  const running = new RunningParts()
  const prepare = PREPARATIONS[name] ?? (async () => ({ standIns: await makeStandIns({}) }))
  const prepared = await prepare(running).catch(async (error: unknown) => {
    await running.stop()
    throw error
  })
  return { ...prepared, stop: () => running.stop() }
}
