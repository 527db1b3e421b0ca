import { readFile } from 'node:fs/promises'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import type { DeviceStore } from '../devices/device-store.ts'
import { makeEndpointCheck } from '../devices/web-push-endpoint.ts'
import { makeLogger } from '../observability/log.ts'
import { ApiError } from '../protocol/errors.ts'
import { withDevices } from './bulk/device-database.ts'
import { type ImportKind, LISTS, makeDeviceImport, makeUserTopicImport } from './bulk/import-kind.ts'
import { type ImportSource, openFileSource } from './bulk/import-source.ts'
import { listenForInterrupt } from './bulk/interrupt.ts'
import { checkApiUrl, ListApiError, openPageSource } from './bulk/page-source.ts'
import { Progress } from './bulk/progress.ts'
import { Rejects } from './bulk/rejects.ts'
import { ResumeState } from './bulk/resume-state.ts'
import { runImport } from './bulk/run-import.ts'
import { CommandLineError } from './command-line-error.ts'
import { parseArguments } from './parse-arguments.ts'

const HELP = `centripush import devices|user-topics FILE|- [OPTIONS]
centripush import devices|user-topics --from URL --api-key KEY [OPTIONS]

Stores devices, or what users follow, from a file with one JSON object a line (- is standard input), or page by page
from any server with the same API, such as Centrifugo PRO. What is stored already is brought up to date, so it can run
again; a device that was registered or updated here after its "updated_at" is left alone.

A line of devices has the fields of a device_register request, and optionally created_at and updated_at (Unix seconds)
and webpush_keys, as device_list returns them and "centripush export devices" writes them:
  {"provider": "fcm", "platform": "android", "token": "…", "user": "42", "topics": ["news"]}
A line of user-topics: {"user": "42", "topic": "news"}

  --from URL          the other server's API: https://example.com/api
  --api-key KEY       its key; --api-key-file FILE reads it from a file
  --resume STATE      keep the position in the file STATE and go on from there; removed at the end
  --rejected FILE     lines that were not stored: {"line": 7, "reason": "token: must not be empty"}
  --config FILE       names the database; without one it is the embedded database

Exits with 0 when all is stored, 1 when lines were rejected or it was stopped, 2 when the command line or the
configuration is wrong.
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

/** `centripush import`: resolves to the exit code. @throws ConfigError */
export async function runImportCommand(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments({ args: argv, options: OPTIONS, allowPositionals: true })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const [kindName, path, ...others] = positionals
  if (kindName !== 'devices' && kindName !== 'user-topics')
    throw new CommandLineError('import what? devices or user-topics')
  if ((path === undefined) === (values.from === undefined) || others.length > 0) {
    throw new CommandLineError('from where? a FILE, or - for standard input, or --from URL')
  }
  const source =
    values.from === undefined
      ? await openFileSource(path ?? '-', process.stdin)
      : openPageSource({ url: checkApiUrl(values.from), apiKey: await readApiKey(values), ...LISTS[kindName] })
  const { config } = loadConfig(values.config, process.env)
  const logger = makeLogger({ ...config.log, level: 'warn' }, 2)
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
  if (file !== undefined) return (await readFile(file, 'utf8')).trim()
  if (key === undefined) throw new CommandLineError('--from needs --api-key KEY or --api-key-file FILE')
  return key
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
    if (resumed) print(`going on behind line ${resumed.line}`)
    const { signal } = interrupt
    const start = resumed ?? source.start
    const { stored, kept } = await runImport({ kind, source, start, state, rejects, progress, signal })
    print(
      `${stored} ${kind.noun} stored, ${kept} left alone because they changed here since, ${rejects.count} rejected`,
    )
    if (signal.aborted) print(files.resume ? 'stopped; the same command goes on from here' : 'stopped')
    return signal.aborted || rejects.count > 0 ? 1 : 0
  } catch (error) {
    // The other side, or the database, is away: what to do about it does not stand in a stack.
    if (!(error instanceof ListApiError || error instanceof ApiError)) throw error
    print(`${error.message}${files.resume ? '; the same command goes on from here' : ''}`)
    return 1
  } finally {
    interrupt.stop()
    progress.end()
    await rejects.close()
  }
}
