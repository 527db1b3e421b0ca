import { pino } from 'pino'
import { startAssembly, TEST_KEY, type TestAssembly } from '../../support/assembly.ts'
import { createTestDatabase } from '../../support/database.ts'
import { keepLines } from '../../support/run-log.ts'
import { makeStandIns, type Parts } from '../stand-ins.ts'
import type { Prepared, RunningParts } from './parts.ts'

/** A server in this process, for documents that start none. */
export interface PreparedServer extends Prepared {
  server: TestAssembly
}

/** Starts a server for the requests of a document. Its commands use the same database. */
export async function prepareServer(
  running: RunningParts,
  options: Parameters<typeof startAssembly>[1] = {},
  parts: Parts = {},
): Promise<PreparedServer> {
  const { dsn } = await running.add(createTestDatabase(), (database) => database.drop())
  const env = { KEY: TEST_KEY, CENTRIPUSH_DATABASE_POSTGRESQL_DSN: dsn, ...parts.env }
  const standIns = await makeStandIns({ key: TEST_KEY, ...parts, env })
  let log = ''
  const lines = keepLines((line) => {
    log += line
  })
  const logger = pino({ base: null, formatters: { level: (level) => ({ level }) } }, lines)
  const http_server = { port: Number(new URL(standIns.url).port) }
  const started = startAssembly(dsn, { http_server, ...options }, logger)
  return { server: await running.add(started, (server) => server.stop(1000)), standIns, readLog: () => log }
}

/** Calls a method. @throws Error for an error of the API */
export async function call(server: TestAssembly, method: string, request: object): Promise<unknown> {
  const answer: unknown = await (await server.post(`/${method}`, request)).json()
  if (typeof answer !== 'object' || answer === null || !('result' in answer)) throw new Error(JSON.stringify(answer))
  return answer.result
}

/** Sends commands in batches. */
export async function callAll(server: TestAssembly, commands: readonly object[]): Promise<void> {
  const BATCH = 200
  for (let start = 0; start < commands.length; start += BATCH) {
    const answer = await server.post('/batch', { commands: commands.slice(start, start + BATCH) })
    const text = await answer.text()
    if (!answer.ok || text.includes('"error"')) throw new Error(text)
  }
}
