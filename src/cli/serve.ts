import { assemble } from '../assemble.ts'
import { makeLogger } from '../observability/log.ts'
import { makeBanner } from './banner.ts'
import { exitSoon } from './exit-soon.ts'
import { readServerOptions } from './options.ts'

const HELP = `centripush serve [--config FILE] [--role all|api|worker]

Runs the server. Without a configuration everything is embedded: PostgreSQL and an API key under ./data, and all
providers as a sandbox that records what would have been sent.

  --config FILE   JSON, YAML or TOML; environment variables (CENTRIPUSH_HTTP_SERVER_PORT) override it
  --role ROLE     'api' answers requests, 'worker' sends pushes, 'all' (the default) does both

SIGTERM or Ctrl-C stops it: requests and pushes in flight finish, the rest stays in the queue. Twice stops it at once.
`

/** `centripush serve`: resolves after the signal to stop. @throws ConfigError */
export async function runServe(argv: string[]): Promise<void> {
  const options = readServerOptions(argv, HELP)
  if (!options) return
  const { config, ignored, role } = options
  const logger = makeLogger(config.log)
  if (ignored.length > 0) logger.warn({ options: ignored }, 'configuration: options ignored, they are not ours')
  const stopped = waitForStop()
  const server = await assemble({ config, role, logger })
  logger.info({ urls: server.urls, role }, 'centripush is running')
  process.stdout.write(makeBanner(server, config.http_api.handler_prefix))
  const signal = await stopped
  logger.info({ signal }, 'stopping: what is in flight finishes, the rest stays in the queue')
  await server.stop(config.shutdown.timeout)
  logger.info('stopped')
  exitSoon()
}

/** One Ctrl-C reaches a process that npm runs twice: from the terminal and passed on by npm. */
const SAME_PRESS_MS = 500

/** Resolves at the first signal to stop; a second one exits at once. */
function waitForStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined
    const onSignal = (signal: NodeJS.Signals) => {
      if (firstAtMs !== undefined && Date.now() - firstAtMs > SAME_PRESS_MS) process.exit(1)
      firstAtMs ??= Date.now()
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}
