// npm run test:stops: a server with everything embedded is stopped at times after its start, in all ways, idle and
// under load, with and without frozen workers. Then another start delivers all that was accepted. Linux only.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { FcmSimulator } from '../../src/simulators/fcm/fcm-simulator.ts'
import { findFreePort } from '../support/centripush-process.ts'
import { listMarked, MARK } from '../support/marked-processes.ts'
import { isPromised, runStopCase, type StopCase, TIMEOUT_SECONDS, WAYS } from './stop-case.ts'
import { DEVICES, Traffic } from './traffic.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const SECONDS = [10, 5, 3, 2, 1, 0.5, 0]
const SERVER = [process.execPath, join(ROOT, 'bin/centripush.js')]
const PROGRAMS = { node: [...SERVER, 'serve'], npm: ['npm', 'start', '--silent', '--'] }
const STATES = ['load', 'load-frozen', 'idle-frozen', 'idle']
const KEY = 'key-of-the-clients'
/** Leases of killed workers expire before. */
const DELIVERY_MS = 90_000

const HELP = `npm run test:stops -- [--way WAY] [--program NAME] [--state STATE]...

  --way WAY       ${WAYS.join(', ')}
  --program NAME  node, npm
  --state STATE   ${STATES.join(', ')}
`

type Program = keyof typeof PROGRAMS

/** All seconds of one kind of stop, on one data directory. @returns whether all rows are as promised */
async function runKind(kind: Omit<StopCase, 'seconds' | 'program'>, program: Program): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-stops-'))
  // For root, the database runs as another user, which needs access to the directory.
  await chmod(directory, 0o755)
  const simulator = await FcmSimulator.start({ directory: join(directory, 'fcm') })
  try {
    const { file, url } = await writeConfig(directory, simulator)
    await importDevices(directory, file)
    const traffic = new Traffic({ target: { url, key: KEY }, readPushes: () => simulator.accepted })
    const passed: boolean[] = []
    for (const seconds of SECONDS) {
      const stop = { ...kind, seconds, program: PROGRAMS[program] }
      const endTraffic = kind.hasLoad ? traffic.start() : undefined
      const result = await runStopCase(stop, file, directory)
      await endTraffic?.()
      passed.push(isPromised(result, stop))
      const { phase, frozen, end, orphans, hasStack } = result
      const [took, gone] = [result.milliseconds, result.goneMilliseconds].map((ms) => `${(ms / 1000).toFixed(2)} s`)
      const state = `${kind.hasLoad ? 'load' : 'idle'} | ${kind.isFrozen ? frozen : '–'}`
      const seen = `${phase || '(loading)'} | ${took} | ${end} | ${gone} | ${orphans} | ${hasStack ? 'yes' : 'no'}`
      console.log(`| ${seconds} s | ${program} | ${kind.way} | ${state} | ${seen} | ${passed.at(-1) ? 'ok' : 'NO'} |`)
    }
    if (kind.hasLoad) passed.push(await deliverAll(traffic, file, directory))
    return passed.every(Boolean)
  } finally {
    for (const pid of listMarked(directory)) process.kill(pid, 'SIGKILL')
    await simulator.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

async function writeConfig(directory: string, { origin, files }: FcmSimulator) {
  const port = await findFreePort()
  const file = join(directory, 'centripush.json')
  const fcm = { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin }
  const config = {
    data_dir: join(directory, 'data'),
    http_server: { address: '127.0.0.1', port },
    http_api: { key: KEY },
    push_notifications: { enabled_providers: ['fcm'], fcm },
    shutdown: { timeout: `${TIMEOUT_SECONDS}s` },
    worker: { processes: 2 },
  }
  await writeFile(file, JSON.stringify(config))
  return { file, url: `http://127.0.0.1:${port}` }
}

async function importDevices(directory: string, file: string): Promise<void> {
  const lines = Array.from({ length: DEVICES }, (_, index) =>
    JSON.stringify({ provider: 'fcm', platform: 'android', token: `phone-${index + 1}` }),
  )
  const devices = join(directory, 'devices.ndjson')
  await writeFile(devices, `${lines.join('\n')}\n`)
  const [program = '', ...args] = [...SERVER, 'import', 'devices', devices, '--config', file]
  const [code] = await once(
    spawn(program, args, { stdio: 'ignore', env: { ...process.env, [MARK]: directory } }),
    'exit',
  )
  if (code !== 0) throw new Error(`the import of the devices ended with ${code}`)
}

/** One more start sends the rest. */
async function deliverAll(traffic: Traffic, file: string, directory: string): Promise<boolean> {
  const [program = '', ...args] = [...PROGRAMS.node, '--config', file]
  const child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, [MARK]: directory } })
  const deadline = Date.now() + DELIVERY_MS
  const before = traffic.count()
  let { lost, repeated } = before
  while (lost > 0 && Date.now() < deadline) {
    await delay(1000)
    ;({ lost, repeated } = traffic.count())
  }
  const ended = child.exitCode === null ? once(child, 'exit') : undefined
  child.kill('SIGTERM')
  await ended
  const { singles, broadcasts } = traffic.accepted
  console.log(
    `  accepted ${singles} single sends and ${broadcasts} broadcasts to ${DEVICES}; after the last stop ` +
      `${before.lost} pushes were in the queue; lost ${lost}, sent twice ${repeated}`,
  )
  return lost === 0
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      way: { type: 'string' },
      program: { type: 'string' },
      state: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  console.log('| after | program | way | load | frozen | at | took | end | children gone after | orphans | stack | |')
  let areAll = true
  for (const program of ['node', 'npm'] as const) {
    if (values.program !== undefined && values.program !== program) continue
    for (const way of WAYS.filter((one) => values.way === undefined || values.way === one)) {
      for (const state of STATES) {
        if (values.state !== undefined && !values.state.includes(state)) continue
        const kind = { way, hasLoad: state.startsWith('load'), isFrozen: state.endsWith('frozen') }
        areAll = (await runKind(kind, program)) && areAll
      }
    }
  }
  return areAll ? 0 : 1
}

process.exitCode = await main()
