import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import type { DeviceStore } from '../devices/device-store.ts'
import type { ListPage } from '../devices/list-page.ts'
import { encodeDevice } from '../methods/device-results.ts'
import { withDevices } from './bulk/device-database.ts'
import { listenForInterrupt } from './bulk/interrupt.ts'
import { Progress } from './bulk/progress.ts'
import { checkOutputFile } from './check-output-file.ts'
import { CommandLineError } from './command-line-error.ts'
import { loadForCommand } from './load-for-command.ts'
import { parseArguments } from './parse-arguments.ts'

const HELP = `centripush export devices|user-topics [FILE|-] [--config FILE]

Writes all devices, or all topics of users, with one JSON object on each line, to FILE or to standard output. FILE is
created when it is complete; "centripush import" reads it. Devices include topics, meta and Web Push keys: protect the
file like the database. Changes during the export may be missing.

  --config FILE       names the database; without it, the embedded database is used

For example: centripush export devices devices.ndjson

Exits with 0 when everything is written, or when the reader of standard output has enough; with 2 when the command line
or the configuration is wrong; and with 1 when it was interrupted or failed.
`

const PAGE_ITEMS = 1000

type ReadPage = (cursor: string) => Promise<ListPage<object>>
type Output = NodeJS.WritableStream

/** The command `centripush export`. Resolves to the exit code. @throws CommandLineError, ConfigError, UserError */
export async function runExport(argv: string[]): Promise<number> {
  const options = { config: { type: 'string', short: 'c' }, help: { type: 'boolean', short: 'h' } } as const
  const { values, positionals } = parseArguments({ args: argv, options, allowPositionals: true })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const [kindName, path = '-', ...others] = positionals
  if (kindName !== 'devices' && kindName !== 'user-topics')
    throw new CommandLineError('expected devices or user-topics')
  if (others.length > 0) throw new CommandLineError('expected one FILE')
  if (path !== '-') checkOutputFile('FILE', path)
  const { config, logger } = loadForCommand(values.config)
  return await withDevices({ config, logger }, async (devices) => {
    const readPage = kindName === 'devices' ? makeDevicePages(devices) : makeUserTopicPages(devices)
    const write = (output: Output) => writePages(readPage, output, kindName.replace('-', ' '))
    return path === '-' ? await write(process.stdout) : await writeFile(path, write)
  })
}

function makeDevicePages(devices: DeviceStore): ReadPage {
  const query = {
    filter: { ids: [], users: [], topics: [], providers: [], platforms: [] },
    include: { topics: true, meta: true, webPushKeys: true },
    includeTotalCount: false,
    limit: PAGE_ITEMS,
  }
  return async (cursor) => {
    const page = await devices.list({ ...query, cursor })
    return { ...page, items: page.items.map(encodeDevice) }
  }
}

function makeUserTopicPages(devices: DeviceStore): ReadPage {
  const query = { users: [], topics: { topics: [], topicPrefix: '' }, includeTotalCount: false, limit: PAGE_ITEMS }
  return async (cursor) => {
    const page = await devices.listUserTopics({ ...query, cursor })
    return { ...page, items: page.items.map(({ user, topic }) => ({ user, topic })) }
  }
}

/** Writes the file under another name and renames it when it is complete. */
async function writeFile(path: string, write: (output: Output) => Promise<number>): Promise<number> {
  const part = `${path}.part`
  // The file contains tokens, so only its owner may read it.
  const file = createWriteStream(part, { mode: 0o600 })
  await once(file, 'open')
  const code = await write(file)
  file.end()
  await once(file, 'close')
  if (code === 0) await rename(part, path)
  return code
}

/** Resolves to false when the reader of the output has closed it. */
async function writeText(output: Output, text: string): Promise<boolean> {
  try {
    if (!output.writable) return false
    if (!output.write(text)) await once(output, 'drain')
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return false
    throw error
  }
}

async function writePages(readPage: ReadPage, output: Output, noun: string): Promise<number> {
  const progress = new Progress({ output: process.stderr, noun, now: Date.now })
  const interrupt = listenForInterrupt()
  try {
    let count = 0
    let cursor: string | undefined = ''
    while (cursor !== undefined && !interrupt.signal.aborted) {
      const page: ListPage<object> = await readPage(cursor)
      const text = page.items.map((item) => `${JSON.stringify(item)}\n`).join('')
      // A reader such as `head` has closed the pipe: it has enough.
      if (!(await writeText(output, text))) return 0
      count += page.items.length
      cursor = page.nextCursor
      progress.show({ count })
    }
    progress.print(cursor === undefined ? `${count} ${noun} written` : `interrupted after ${count} ${noun}`)
    return cursor === undefined ? 0 : 1
  } finally {
    interrupt.stop()
    progress.end()
  }
}
