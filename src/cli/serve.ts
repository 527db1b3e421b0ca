import { once } from 'node:events'
import { checkFiles } from '../assemble/check-files.ts'
import { assemble } from '../assemble.ts'
import type { Config } from '../config/schema.ts'
import { captureOutput } from '../observability/capture-output.ts'
import { makeLogger } from '../observability/log.ts'
import { StoppedError } from '../shutdown-phases.ts'
import { makeBanner } from './banner.ts'
import { describeSettings } from './describe-settings.ts'
import { exitSoon } from './exit-soon.ts'
import { readServerOptions } from './options.ts'
import { listenForStop } from './stop-signals.ts'

const HELP = `centripush serve [--config FILE] [--role all|api|worker] [--lenient]

Runs the server. Without a configuration everything is embedded: PostgreSQL and an API key are under ./data, and every
provider is a sandbox that records pushes instead of sending them.

  --config FILE   JSON, YAML or TOML; environment variables (CENTRIPUSH_HTTP_SERVER_PORT) override it
  --role ROLE     'api' answers requests, 'worker' sends pushes, 'all' (the default) does both
  --lenient       starts with credentials that can not be used; their providers are paused until the files are mended

For example: centripush serve --config centripush.yaml

SIGTERM, SIGHUP or Ctrl-C stops it within the option shutdown.timeout, also during its start: requests and pushes in
flight finish, the others stay in the queue. A second signal stops it immediately; no push is lost, but those in flight
may be sent again.

Exit codes:
  0  stopped by a signal; a shell shows 143 or 130 if the signal comes before Node has loaded the program
  1  can't start, or stopped by a second signal
  2  the command line or the configuration is wrong
`

/**
 * The command `centripush serve`. Resolves when the server has stopped after a signal.
 * @throws CommandLineError, ConfigError, UserError
 */
export async function runServe(argv: string[]): Promise<void> {
  const options = readServerOptions(argv, HELP, { flags: ['lenient'], hasRole: true })
  if (!options) return
  const { role, flags } = options
  const config = flags.has('lenient') ? makeLenient(options.config) : options.config
  await checkFiles(config)
  const logger = makeLogger(config.log)
  captureOutput(logger)
  for (const notice of describeSettings(options)) logger.warn(`config: ${notice}`)
  const stopping = listenForStop(logger)
  try {
    const server = await assemble({ config, role, logger, signal: stopping })
    const stopped = stopping.aborted ? Promise.resolve() : once(stopping, 'abort')
    await Promise.race([server.whenSending, stopped])
    if (!stopping.aborted) {
      logger.info({ urls: server.urls, role }, 'centripush is running')
      // Standard output that is not a terminal has only lines of the log, and the log has no keys.
      if (process.stdout.isTTY) process.stdout.write(makeBanner(server, config.http_api.handler_prefix))
      else if (server.madeKey !== undefined) logger.info({ file: `${config.data_dir}/api_key` }, 'api key: generated')
    }
    await stopped
    await server.stop(config.shutdown.timeout)
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error
  }
  logger.info('server: stopped')
  exitSoon()
}

function makeLenient(config: Config): Config {
  return { ...config, push_notifications: { ...config.push_notifications, lenient: true } }
}
