import { assembleHistory, type History } from '../assemble/assemble-history.ts'
import { loadConfig } from '../config/load.ts'
import { makeLogger } from '../observability/log.ts'
import { CommandLineError } from './command-line-error.ts'
import { explainApiError } from './explain-api-error.ts'
import { parseArguments } from './parse-arguments.ts'
import { showEvents } from './push/show-events.ts'
import { showExplanation } from './push/show-explanation.ts'

const HELP = `centripush push ACTION [OPTIONS]

  events            list recorded events, the newest first: sent, failed, dropped… and the reports of apps
  explain UID       tell why a push of a send did or did not arrive, with all checks

  --uid UID         with events: one send; its analytics_uid if it has one
  --device ID       one device
  --user USER       one user; with explain all devices of the user
  --attempts        with events: also attempts that did not end their target
  --limit N         with events: the most events to list (default 100, at most 1000)
  --cursor CURSOR   with events: the next page
  --json            prints the result as the API does
  --config FILE     names database, queue and ClickHouse; without it all is in the embedded database

Exits with 0, with 2 when the command line or the configuration is wrong, and with 1 after any other failure.
`

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  uid: { type: 'string', default: '' },
  device: { type: 'string', default: '' },
  user: { type: 'string', default: '' },
  attempts: { type: 'boolean', default: false },
  limit: { type: 'string', default: '0' },
  cursor: { type: 'string', default: '' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof parseArguments<{ options: typeof OPTIONS }>>['values']

/** An action of `centripush push`. Resolves to the lines to print. */
type Action = (history: History) => Promise<string[]>

/** The command `centripush push`. Resolves to the exit code. @throws CommandLineError, ConfigError, UserError */
export async function runPush(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments({ args: argv, options: OPTIONS, allowPositionals: true })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const action = chooseAction(positionals, values)
  const { config } = loadConfig(values.config, process.env)
  const logger = makeLogger({ ...config.log, level: 'warn' }, 2)
  const history = await assembleHistory({ config, logger })
  try {
    for (const line of await action(history).catch(explainApiError)) process.stdout.write(`${line}\n`)
    return 0
  } finally {
    await history.stop()
  }
}

function chooseAction([name, argument, ...rest]: string[], values: Values): Action {
  if (rest.length > 0 || (argument !== undefined && name !== 'explain'))
    throw new CommandLineError('too many arguments')
  const { uid, device, user, attempts, cursor, json } = values
  const who = { device_id: device, user }
  switch (name) {
    case 'events': {
      const limit = parseLimit(values.limit)
      return ({ events }) => showEvents(events, { uid, ...who, include_attempts: attempts, cursor, limit }, json)
    }
    case 'explain':
      if (argument === undefined) throw new CommandLineError('explain: expected the uid of a send')
      return ({ explain }) => showExplanation(explain, { uid: argument, ...who }, json)
    default:
      throw new CommandLineError('expected an action: events or explain')
  }
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 0) return limit
  throw new CommandLineError('--limit: expected a whole number')
}
