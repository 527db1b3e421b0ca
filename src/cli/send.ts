import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { assembleSending } from '../assemble/assemble-sending.ts'
import { explainFileError } from '../config/read-option-file.ts'
import { previewSend } from '../preview/preview-send.ts'
import { decodeMessage } from '../protocol/decode-message.ts'
import { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import { acceptSend } from '../push/accept.ts'
import { CommandLineError } from './command-line-error.ts'
import { explainApiError } from './explain-api-error.ts'
import { loadForCommand } from './load-for-command.ts'
import { parseArguments } from './parse-arguments.ts'
import { describePreview } from './send/describe-preview.ts'

const HELP = `centripush send [FILE] [OPTIONS]

Accepts a push like the API method send_push_notification and prints its uid; the workers of the server send it. FILE
holds the JSON of the request; without FILE it is read from standard input:

  {"recipient":{"filter":{"topics":["news"]}},"notification":{"fcm":{"message":{"notification":{"title":"Hello"}}}}}

  --preview DEVICE    sends nothing and shows the push for this device: the rendered bytes of each provider's part, the
                      time, and whether a rate limit would delay or drop it; needs a recipient.filter
  --config FILE       names database and queue; without it both are in the embedded database

For example: centripush send push.json --preview 01KDQ2B0W8Z0Y0000000000000-fcm

Exits with 0, with 2 when the command line, the configuration or the request is wrong, and with 1 after any other
failure.
`

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  preview: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/**
 * The command `centripush send`. Resolves to the exit code.
 * @throws CommandLineError, also for a wrong request; UserError
 */
export async function runSend(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments({ args: argv, options: OPTIONS, allowPositionals: true })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  if (positionals.length > 1) throw new CommandLineError('expected at most one FILE')
  for (const line of await acceptOrPreview(positionals[0], values).catch(explainApiError)) {
    process.stdout.write(`${line}\n`)
  }
  return 0
}

/** Accepts or previews the request in `file`. Resolves to the lines to print. */
async function acceptOrPreview(file: string | undefined, options: { config?: string; preview?: string }) {
  const request = decodeMessage(SendPushNotificationRequest, await readRequest(file))
  const { config, logger } = loadForCommand(options.config)
  const { accept, preview, stop } = await assembleSending({ config, logger })
  try {
    return options.preview === undefined
      ? [await acceptSend(accept, request)]
      : describePreview(await previewSend(preview(), request, options.preview))
  } finally {
    await stop()
  }
}

async function readRequest(file = '-'): Promise<Buffer> {
  if (file === '-') return await buffer(process.stdin)
  try {
    return await readFile(file)
  } catch (error) {
    throw new CommandLineError(`${file} ${explainFileError(error)}`, { cause: error })
  }
}
