import { readFile } from 'node:fs/promises'
import { explainFileError } from '../config/read-option-file.ts'
import type { Config } from '../config/schema.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import { makeEndpointCheck } from '../devices/web-push-endpoint.ts'
import { ApiError } from '../protocol/errors.ts'
import { withDevices } from './bulk/device-database.ts'
import { type ImportKind, LISTS, makeDeviceImport, makeUserTopicImport } from './bulk/import-kind.ts'
import { type ImportSource, openFileSource } from './bulk/import-source.ts'
import { listenForInterrupt } from './bulk/interrupt.ts'
import { checkApiUrl, ListApiError, openPageSource } from './bulk/page-source.ts'
import { Progress } from './bulk/progress.ts'
import { Rejects } from './bulk/rejects.ts'
import { NO_COUNTS, ResumeState } from './bulk/resume-state.ts'
import { runImport } from './bulk/run-import.ts'
import { checkOutputFile } from './check-output-file.ts'
import { CommandLineError } from './command-line-error.ts'
import { loadForCommand } from './load-for-command.ts'
import { parseArguments } from './parse-arguments.ts'

const HELP = `centripush import devices|user-topics FILE|- [OPTIONS]
centripush import devices|user-topics --from URL --api-key KEY [OPTIONS]

Stores devices, or topics of users, from a file with one JSON object on each line (- is standard input), or page by page
from any server with the same API, such as Centrifugo PRO. Stored records are updated, so an import can be repeated. A
device that was registered or updated here after its "updated_at" is kept unchanged.

A line of devices has the fields of a device_register request, and optionally created_at and updated_at (Unix seconds)
and webpush_keys, as in the results of device_list and in the output of "centripush export devices":
  {"provider": "fcm", "platform": "android", "token": "…", "user": "42", "topics": ["news"]}
A line of user-topics: {"user": "42", "topic": "news"}

  --from URL          the API of the other server: https://example.com/api
  --api-key KEY       its API key; --api-key-file FILE reads the key from a file
  --resume STATE      keeps the position in the file STATE and continues from it; the file is removed at the end
  --rejected FILE     writes rejected lines to FILE: {"line": 7, "reason": "token: must not be empty"}
  --config FILE       names the database; without it, the embedded database is used

For example: centripush import devices devices.ndjson --resume devices.state --rejected rejected.ndjson

Exits with 0 when everything is stored, with 2 when the command line or the configuration is wrong, and with 1 when
lines were rejected (also before --resume), or when it was interrupted or failed.
`

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  from: { type: 'string' },
  'api-key': { type: 'string' },
  'api-key-file': { type: 'string' },
  resume: { type: 'string' },
  rejected: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The command `centripush import`. Resolves to the exit code. @throws CommandLineError, ConfigError, UserError */
export async function runImportCommand(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments({ args: argv, options: OPTIONS, allowPositionals: true })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const [kindName, path, ...others] = positionals
  if (kindName !== 'devices' && kindName !== 'user-topics')
    throw new CommandLineError('expected devices or user-topics')
  if ((path === undefined) === (values.from === undefined) || others.length > 0) {
    throw new CommandLineError('expected a source: FILE, - for standard input, or --from URL')
  }
  const source =
    values.from === undefined
      ? await openFileSource(path ?? '-', process.stdin)
      : openPageSource({ url: checkApiUrl(values.from), apiKey: await readApiKey(values), ...LISTS[kindName] })
  checkOutputFile('--resume', values.resume)
  checkOutputFile('--rejected', values.rejected)
  const { config, logger } = loadForCommand(values.config)
  return await withDevices({ config, logger }, async (devices) => {
    const files = { resume: values.resume, rejected: values.rejected }
    if (kindName === 'user-topics') return await importAll(makeUserTopicImport(devices), source, files)
    return await importAll(chooseDeviceImport(devices, config), source, files)
  })
}

function chooseDeviceImport(devices: DeviceStore, config: Config) {
  return makeDeviceImport(devices, makeEndpointCheck(config.push_notifications.webpush))
}

async function readApiKey(values: { 'api-key'?: string; 'api-key-file'?: string }): Promise<string> {
  const { 'api-key': key, 'api-key-file': file } = values
  if (file !== undefined) return await readKeyFile(file)
  if (key === undefined) throw new CommandLineError('--from needs --api-key KEY or --api-key-file FILE')
  return key
}

async function readKeyFile(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new CommandLineError(`--api-key-file: ${file} ${explainFileError(error)}`, { cause: error })
  }
}

async function importAll<Item>(
  kind: ImportKind<Item>,
  source: ImportSource,
  files: { resume: string | undefined; rejected: string | undefined },
): Promise<number> {
  const state = new ResumeState({ file: files.resume, source: source.name })
  const resumed = await state.load()
  const progress = new Progress({ output: process.stderr, noun: kind.noun, now: Date.now })
  const print = (line: string) => progress.print(line)
  const rejects = await Rejects.open({ file: files.rejected, isResumed: resumed !== undefined, print })
  const interrupt = listenForInterrupt()
  try {
    if (resumed) print(`continuing after line ${resumed.position.line}`)
    const { signal } = interrupt
    const { position: start, counts } = resumed ?? { position: source.start, counts: NO_COUNTS }
    const { stored, kept, rejected } = await runImport({
      kind,
      source,
      start,
      counts,
      state,
      rejects,
      progress,
      signal,
    })
    print(`${stored} ${kind.noun} stored, ${kept} kept unchanged because they are newer here, ${rejected} rejected`)
    if (signal.aborted) print(files.resume ? 'interrupted; the same command continues from here' : 'interrupted')
    return signal.aborted || rejected > 0 ? 1 : 0
  } catch (error) {
    // These errors mean that the other server or the database failed. Their message is enough; a stack does not help.
    if (!(error instanceof ListApiError || error instanceof ApiError)) throw error
    print(`${error.message}${files.resume ? '; the same command continues from here' : ''}`)
    return 1
  } finally {
    interrupt.stop()
    progress.end()
    await rejects.close()
  }
}
