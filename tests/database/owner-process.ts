// A process that owns an embedded PostgreSQL, for tests that kill it. Prints one line of JSON when the server is ready.
import { startEmbeddedPostgres } from '../../src/database/embedded.ts'
import { makeTestLogger } from '../support/run-log.ts'

const [dataDir = ''] = process.argv.slice(2)
const logger = makeTestLogger()
try {
  const { dsn, adopted } = await startEmbeddedPostgres({ dataDir, logger })
  process.stdout.write(`${JSON.stringify({ dsn, adopted })}\n`)
  process.stdin.resume()
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`)
}
