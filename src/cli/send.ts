import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { assembleSending } from '../assemble/assemble-sending.ts'
import { ConfigError } from '../config/config-error.ts'
import { loadConfig } from '../config/load.ts'
import { makeLogger } from '../observability/log.ts'
import { previewSend } from '../preview/preview-send.ts'
import { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import { decodeMessage } from '../protocol/wire-types.ts'
import { acceptSend } from '../push/accept.ts'
import { describePreview } from './send/describe-preview.ts'

const HELP = `centripush send [FILE] [OPTIONS]

Accepts a push as the API's send_push_notification does, for the workers of the server to send, and prints its uid. The
request's JSON is in FILE, or on standard input without one:

  {"recipient":{"filter":{"topics":["news"]}},"notification":{"fcm":{"message":{"notification":{"title":"Hello"}}}}}

  --preview DEVICE    sends nothing, but shows what this device would get: the rendered bytes of each provider's part,
                      when, and whether a rate limit would hold it back; needs a recipient.filter
  --config FILE       names database and queue; without one they are in the embedded database

Exits with 0, or with 2 when the command line, the configuration or the request is wrong.
`

/** `centripush send`: resolves to the exit code. @throws ConfigError, DecodeError, ApiError */
export async function runSend(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: {
      config: { type: 'string', short: 'c' },
      preview: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
    allowPositionals: true,
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  if (positionals.length > 1) throw new ConfigError('too many arguments')
  const request = decodeMessage(SendPushNotificationRequest, await readRequest(positionals[0]))
  const { config } = loadConfig(values.config, process.env)
  const logger = makeLogger({ ...config.log, level: 'warn' }, 2)
  const { accept, preview, stop } = await assembleSending({ config, logger })
  try {
    const lines =
      values.preview === undefined
        ? [await acceptSend(accept, request)]
        : describePreview(await previewSend(preview(), request, values.preview))
    for (const line of lines) process.stdout.write(`${line}\n`)
    return 0
  } finally {
    await stop()
  }
}

async function readRequest(file = '-'): Promise<Buffer> {
  if (file === '-') return await buffer(process.stdin)
  try {
    return await readFile(file)
  } catch (error) {
    throw new ConfigError(`${file}: can't be read`, { cause: error })
  }
}
