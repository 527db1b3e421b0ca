import { assembleQueue } from '../assemble/assemble-queue.ts'
import { isProviderName, PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'
import { formatDeviceId } from '../devices/device-id.ts'
import type { DeadLetter, DeadLetterFilter } from '../queue/dead-letter.ts'
import type { Queue, QueueStats } from '../queue/queue.ts'
import { decodeTarget } from '../sends/target-line.ts'
import { CommandLineError } from './command-line-error.ts'
import { loadForCommand } from './load-for-command.ts'
import { parseArguments } from './parse-arguments.ts'

const HELP = `centripush queue ACTION [OPTIONS]

  stats             show waiting, scheduled and in-flight work, the number of dead letters, and paused providers
  pause PROVIDER    send nothing to a provider; its pushes are still accepted and queued
  resume PROVIDER   end a pause, also one that a refused credential has caused
  cancel UID        cancel a send; targets that were handed to a provider are not affected
  dead              list dead letters: targets that were given up, kept for a week
  retry             send dead letters again
  drop              delete dead letters

Dead letters are selected by:
  --uid UID         one send
  --provider NAME   ${PROVIDER_NAMES.join(', ')}
  --id ID           one dead letter; can be given several times
  --all             all of them; retry and drop need a selection

  --devices         with dead: lists the ids of the devices, one on each line
  --limit N         with dead: the most dead letters to list (default 100)
  --reason TEXT     with pause: the reason that "stats" shows
  --config FILE     names the queue; without it, the queue in the embedded database is used

For example: centripush queue pause fcm --reason "new credentials"

Exits with 0, with 2 when the command line or the configuration is wrong, and with 1 after any other failure.
`

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  uid: { type: 'string' },
  provider: { type: 'string' },
  id: { type: 'string', multiple: true },
  all: { type: 'boolean', default: false },
  devices: { type: 'boolean', default: false },
  limit: { type: 'string', default: '100' },
  reason: { type: 'string', default: 'paused by hand' },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof parseArguments<{ options: typeof OPTIONS }>>['values']

/** An action of `centripush queue`. Resolves to the lines to print. */
type Action = (queue: Queue) => Promise<string[]>

/** The command `centripush queue`. Resolves to the exit code. @throws CommandLineError, ConfigError, UserError */
export async function runQueue(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments({ args: argv, options: OPTIONS, allowPositionals: true })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const action = chooseAction(positionals, values)
  const { config, logger } = loadForCommand(values.config)
  const { queue, stop } = await assembleQueue({ config, logger })
  try {
    for (const line of await action(queue)) process.stdout.write(`${line}\n`)
    return 0
  } finally {
    await stop()
  }
}

function chooseAction([name, argument, ...rest]: string[], values: Values): Action {
  const takesArgument = name === 'pause' || name === 'resume' || name === 'cancel'
  if (rest.length > 0 || (argument !== undefined && !takesArgument)) throw new CommandLineError('too many arguments')
  switch (name) {
    case 'stats':
      return async (queue) => describeStats(await queue.stats())
    case 'pause':
      return pause(parseProvider(argument), values.reason)
    case 'resume':
      return resume(parseProvider(argument))
    case 'cancel':
      return cancel(argument)
    case 'dead':
      return listDead(parseFilter(values), parseLimit(values.limit), values.devices)
    case 'retry':
      return changeDead(chooseDead(values), 'retryDeadLetters', 'targets are sent again')
    case 'drop':
      return changeDead(chooseDead(values), 'deleteDeadLetters', 'targets deleted')
    default:
      throw new CommandLineError('expected an action: stats, pause, resume, cancel, dead, retry or drop')
  }
}

function pause(provider: ProviderName, reason: string): Action {
  return async (queue) => {
    await queue.pause(provider, reason, undefined)
    return [`${provider} is paused until centripush queue resume ${provider}`]
  }
}

function resume(provider: ProviderName): Action {
  return async (queue) => {
    await queue.resume(provider)
    return [`${provider} is resumed`]
  }
}

function cancel(uid: string | undefined): Action {
  if (!uid) throw new CommandLineError('cancel: expected the uid of a send')
  return async (queue) => {
    await queue.cancel(uid)
    return ['cancelled; targets that were handed to a provider before may still arrive']
  }
}

function listDead(filter: DeadLetterFilter, limit: number, showsDevices: boolean): Action {
  return async (queue) => {
    const letters = await queue.listDeadLetters(filter, limit)
    if (letters.length === 0) return ['no dead letters']
    return letters.flatMap((letter) => [
      describeLetter(letter),
      // The devices of a dead letter are shown by their ids, never by their tokens: a token is enough to send to its
      // phone.
      ...(showsDevices ? describeDevices(letter.targets, letter.provider) : []),
    ])
  }
}

function describeLetter({ id, uid, provider, count, reason, attempts, givenUpAtMs }: DeadLetter): string {
  const givenUp = new Date(givenUpAtMs).toISOString()
  return [id, givenUp, provider, `${count} targets`, `${attempts} attempts`, reason, `uid ${uid}`].join('  ')
}

function describeDevices(targets: DeadLetter['targets'], provider: ProviderName): string[] {
  if (targets.kind === 'lines') return targets.lines.split('\n').map((line) => `  ${describeDevice(line, provider)}`)
  const { after, until } = targets.range
  const from = after === undefined ? 'the first device' : `after ${formatDeviceId(after, provider)}`
  return [`  (devices not read yet: ${from} to ${formatDeviceId(until, provider)})`]
}

function describeDevice(line: string, provider: ProviderName): string {
  const { deviceId } = decodeTarget(line)
  return deviceId === '' ? '(no device)' : formatDeviceId(deviceId, provider)
}

function changeDead(
  filter: DeadLetterFilter | undefined,
  change: 'retryDeadLetters' | 'deleteDeadLetters',
  done: string,
): Action {
  return async (queue) => [`${await queue[change](filter ?? (await refuseWithChoices(queue)))} ${done}`]
}

/** How many dead letters a command names that has no selection. */
const MAX_CHOICES = 10

/** Lists the dead letters that can be selected. @throws CommandLineError always */
async function refuseWithChoices(queue: Queue): Promise<never> {
  const letters = await queue.listDeadLetters({}, MAX_CHOICES)
  throw new CommandLineError(
    [
      'expected a selection of dead letters: --uid, --provider, --id or --all',
      ...(letters.length === 0 ? ['there are no dead letters'] : letters.map(describeLetter)),
      ...(letters.length < MAX_CHOICES ? [] : ['centripush queue dead lists more of them']),
    ].join('\n'),
  )
}

function describeStats(stats: QueueStats): string[] {
  const { waiting, inFlight, delayed, scheduled, oldestMs, deadLetters, pauses } = stats
  const providers = PROVIDER_NAMES.filter((provider) => waiting.has(provider) || inFlight.has(provider))
  return [
    ...providers.map(
      (provider) =>
        `${provider}: ${waiting.get(provider) ?? 0} batches waiting, ${inFlight.get(provider) ?? 0} in flight`,
    ),
    `oldest waiting batch: ${(oldestMs / 1000).toFixed(1)} s`,
    `batches for later: ${delayed}`,
    `scheduled sends: ${scheduled}`,
    `dead letters: ${deadLetters}`,
    ...pauses.map(({ provider, reason, probeInMs }) => {
      const until = probeInMs === undefined ? 'until it is resumed' : `next attempt in ${Math.ceil(probeInMs / 1000)} s`
      return `${provider} is paused, ${until}: ${reason}`
    }),
  ]
}

function parseProvider(name: string | undefined): ProviderName {
  if (name !== undefined && isProviderName(name)) return name
  throw new CommandLineError(`provider: expected one of ${PROVIDER_NAMES.join(', ')}`)
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit > 0) return limit
  throw new CommandLineError('--limit: expected a whole number above 0')
}

function parseFilter({ id, uid, provider }: Values): DeadLetterFilter {
  return {
    ...(id && { ids: id }),
    ...(uid !== undefined && { uid }),
    ...(provider !== undefined && { provider: parseProvider(provider) }),
  }
}

/**
 * The dead letters that the options select; undefined without a selection. An empty filter means all of them, which
 * only `--all` selects.
 */
function chooseDead(values: Values): DeadLetterFilter | undefined {
  const filter = parseFilter(values)
  return Object.keys(filter).length === 0 && !values.all ? undefined : filter
}
