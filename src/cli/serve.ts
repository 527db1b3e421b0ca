import { checkFiles } from '../assemble/check-files.ts'
import { assemble } from '../assemble.ts'
import type { Config } from '../config/schema.ts'
import { makeLogger } from '../observability/log.ts'
import { makeBanner } from './banner.ts'
import { describeSettings } from './describe-settings.ts'
import { exitSoon } from './exit-soon.ts'
import { readServerOptions } from './options.ts'

const HELP = `centripush serve [--config FILE] [--role all|api|worker] [--lenient]

Runs the server. Without a configuration everything is embedded: PostgreSQL and an API key are under ./data, and every
provider is a sandbox that records pushes instead of sending them.

  --config FILE   JSON, YAML or TOML; environment variables (CENTRIPUSH_HTTP_SERVER_PORT) override it
  --role ROLE     'api' answers requests, 'worker' sends pushes, 'all' (the default) does both
  --lenient       starts with credentials that can not be used; their providers are paused until the files are mended

For example: centripush serve --config centripush.yaml

SIGTERM or Ctrl-C stops it: requests and pushes in flight finish, the others stay in the queue. A second signal stops it
immediately.

Exits with 0 after a signal, with 2 when the command line or the configuration is wrong, and with 1 when it can't start.
`

/**
 * The command `centripush serve`. Resolves when the server has stopped after a signal.
 * @throws CommandLineError, ConfigError, UserError
 */
export async function runServe(argv: string[]): Promise<void> {
  const options = readServerOptions(argv, HELP, ['lenient'])
  if (!options) return
  const { role, flags } = options
  const config = flags.has('lenient') ? makeLenient(options.config) : options.config
  checkFiles(config)
  const logger = makeLogger(config.log)
  for (const notice of describeSettings(options)) logger.warn(`config: ${notice}`)
  const stopped = waitForStop()
  const starting = new AbortController()
  void stopped.then(() => starting.abort())
  const server = await assemble({ config, role, logger, signal: starting.signal }).catch((error: unknown) => {
    if (!starting.signal.aborted) throw error
  })
  if (!server) return exitSoon()
  logger.info({ urls: server.urls, role }, 'server: started')
  process.stdout.write(makeBanner(server, config.http_api.handler_prefix))
  const signal = await stopped
  logger.info({ signal }, 'server: stopping, work in flight finishes')
  await server.stop(config.shutdown.timeout)
  logger.info('server: stopped')
  exitSoon()
}

function makeLenient(config: Config): Config {
  return { ...config, push_notifications: { ...config.push_notifications, lenient: true } }
}

/**
 * Two signals to stop within this many ms count as one. Under npm a single Ctrl-C causes two: one from the terminal,
 * and one from npm, which forwards it.
 */
const SAME_PRESS_MS = 500

/** Resolves at the first signal to stop. A second signal ends the process immediately. */
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
