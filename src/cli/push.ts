import { assembleHistory, type History } from '../assemble/assemble-history.ts'
import { CommandLineError } from './command-line-error.ts'
import { explainApiError } from './explain-api-error.ts'
import { loadForCommand } from './load-for-command.ts'
import { parseArguments } from './parse-arguments.ts'
import { showEvents } from './push/show-events.ts'
import { showExplanation } from './push/show-explanation.ts'
import { showReport } from './push/show-report.ts'
import { showReports } from './push/show-reports.ts'

const HELP = `centripush push ACTION [OPTIONS]

  list              list sends, the latest first, each with its state and counts
  info UID          show what became of a send
  events            list recorded events, the newest first: sent, failed, dropped… and the reports of apps
  explain UID       tell why a push of a send did or did not arrive, with all checks

  --state STATE     with list: scheduled, active, cancelled or ended; may be repeated
  --prefix TEXT     with list: only uids that begin with it
  --from, --to TIME with list: sends that were accepted from one time until before another (2026-01-31T12:00Z)
  --uid UID         with events: one send; its analytics_uid if it has one
  --device ID       one device
  --user USER       one user; with explain all devices of the user
  --attempts        with events: also attempts that did not end their target
  --limit N         with list and events: the most to list (default 100, at most 1000)
  --cursor CURSOR   with list and events: the next page
  --json            prints the result as the API does
  --config FILE     names database, queue and ClickHouse; without it all is in the embedded database

For example: centripush push explain order-42 --user 7

Exits with 0, with 2 when the command line or the configuration is wrong, and with 1 after any other failure.
`

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  state: { type: 'string', multiple: true, default: [] as string[] },
  prefix: { type: 'string', default: '' },
  from: { type: 'string' },
  to: { type: 'string' },
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
  const { config, logger } = loadForCommand(values.config)
  const history = await assembleHistory({ config, logger })
  try {
    for (const line of await action(history).catch(explainApiError)) process.stdout.write(`${line}\n`)
    return 0
  } finally {
    await history.stop()
  }
}

function chooseAction([name, argument = '', ...rest]: string[], values: Values): Action {
  const takesUid = name === 'info' || name === 'explain'
  if (rest.length > 0 || (argument !== '' && !takesUid)) throw new CommandLineError('too many arguments')
  if (takesUid && argument === '') throw new CommandLineError(`${name}: expected the uid of a send`)
  const { uid, device, user, attempts, cursor, json } = values
  const who = { device_id: device, user }
  const limit = parseLimit(values.limit)
  switch (name) {
    case 'list': {
      const accepted = { accepted_from: parseTime('--from', values.from), accepted_to: parseTime('--to', values.to) }
      const request = { states: values.state, uid_prefix: values.prefix, ...accepted, cursor, limit }
      return ({ queue }) => showReports(queue, request, json)
    }
    case 'info':
      return ({ queue }) => showReport(queue, argument, json)
    case 'events':
      return ({ events }) => showEvents(events(), { uid, ...who, include_attempts: attempts, cursor, limit }, json)
    case 'explain':
      return ({ explain }) => showExplanation(explain(), { uid: argument, ...who }, json)
    default:
      throw new CommandLineError('expected an action: list, info, events or explain')
  }
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 0) return limit
  throw new CommandLineError('--limit: expected a whole number')
}

/** Parses a time to Unix seconds; 0 if it is absent. */
function parseTime(option: string, text: string | undefined): number {
  if (text === undefined) return 0
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new CommandLineError(`${option}: expected a time such as 2026-01-31T12:00Z`)
  return Math.floor(ms / 1000)
}
