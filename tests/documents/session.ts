// The run of one document: its blocks in their order, in one folder, against one server.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, vi } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { expectAnswer, expectLines } from './answers.ts'
import type { Block } from './blocks.ts'
import { programsOf } from './checkout.ts'
import type { Prepared } from './prepare/parts.ts'
import { type Place, runScript, type Service, startService } from './programs.ts'
import type { StandIns } from './stand-ins.ts'

const Reply = v.looseObject({ error: v.optional(v.never()) })
const LONG = { timeout: 60_000, interval: 50 }

/** How a block is run: by its language, and by its use where a language has several. */
type Run = (text: string, block: Block) => Promise<unknown>

export class DocumentSession {
  readonly #standIns: StandIns
  readonly #readLog: Prepared['readLog']
  readonly #services: Service[] = []
  /** The output of the latest command, program or request. */
  #output = ''
  /** The latest command. */
  #script = ''
  /** The latest request, which a part changes. */
  #request: object = {}

  readonly #runs: Readonly<Record<string, Run>> = {
    sh: (text) => this.#runShell(text),
    yaml: (text, block) => this.#checkConfiguration(text, block.use || nameIn(text) || `line-${block.line}.yaml`),
    toml: (text, block) => this.#checkConfiguration(text, `line-${block.line}.toml`),
    'json node': (text, { line }) => this.#checkConfiguration(text, `line-${line}.json`),
    'json config': (text) => this.#checkConfiguration(text, 'centripush.json'),
    'json answer': async (text) => expectAnswer(JSON.parse(this.#output), JSON.parse(text)),
    'json part': (text) => this.#send('send_push_notification', { ...this.#request, ...JSON.parse(text) }),
    python: (text) => this.#runProgram('python3', 'program.py', text),
    js: (text) => this.#runProgram('node', 'program.mjs', text),
    'text output': async (text) => expectLines(this.#output, text),
    'text later': (text) => this.#expectLater(text),
    'text log': (text) => this.#expectLog(text),
    'text dsn': async (text) => this.#checkEach(text, 'CENTRIPUSH_DATABASE_POSTGRESQL_DSN'),
    'text redis': async (text) => this.#checkEach(text, 'CENTRIPUSH_PUSH_NOTIFICATIONS_QUEUE_REDIS_ADDRESS'),
  }

  constructor({ standIns, readLog }: Prepared) {
    this.#standIns = standIns
    this.#readLog = readLog
  }

  /** Runs a block. @throws Error without a way to run it, AssertionError for another answer than the document shows */
  async run(block: Block): Promise<void> {
    const { language, use } = block
    const text = this.#standIns.replace(block.text)
    const run = this.#runs[`${language} ${use}`] ?? this.#runs[language]
    if (run) await run(text, block)
    else if (language !== '' && use.includes('.')) await writeFile(join(this.#standIns.folder, use), text)
    else if (language === 'json' && use !== '') await this.#send(use, JSON.parse(text))
    else throw new Error(`${language} ${use}: no way to run this block, and no comment with the reason`)
  }

  /** Ends all services, and removes the folder. */
  async stop(): Promise<void> {
    for (const service of this.#services) await service.stop()
    await rm(this.#standIns.folder, { recursive: true, force: true })
  }

  get #place(): Place {
    const { folder, env } = this.#standIns
    return {
      folder,
      env: { PATH: `${programsOf(folder)}:${process.env.PATH}`, CENTRIPUSH_LOG_FORMAT: 'pretty', ...env },
    }
  }

  async #runShell(text: string): Promise<void> {
    this.#script = text
    const service = await startService(text, this.#place, this.#services)
    if (service) this.#services.push(service)
    this.#output = service?.output ?? (await runScript(text, this.#place))
  }

  async #runProgram(program: string, file: string, text: string): Promise<void> {
    await writeFile(join(this.#standIns.folder, file), text)
    this.#output = await runScript(`${program} ${file}`, this.#place)
  }

  async #checkConfiguration(text: string, file: string): Promise<void> {
    await writeFile(join(this.#standIns.folder, file), text)
    await runScript(`centripush check-config --config ${file}`, this.#place)
  }

  /** Loads a configuration with each line as the value of an option. */
  #checkEach(text: string, variable: string): void {
    for (const line of text.trimEnd().split('\n')) {
      expect(() => loadConfig(undefined, { [variable]: line }), line).not.toThrow()
    }
  }

  /** Sends a request. @throws AssertionError if the answer is an error */
  async #send(method: string, request: object): Promise<void> {
    this.#request = request
    await writeFile(join(this.#standIns.folder, 'request.json'), JSON.stringify(request))
    const { url, key } = this.#standIns
    const init = { method: 'POST', headers: { 'x-api-key': key }, body: JSON.stringify(request) }
    this.#output = await (await fetch(`${url}/api/${method}`, init)).text()
    expect(v.is(Reply, JSON.parse(this.#output)), this.#output).toBe(true)
  }

  /** Repeats the latest command until it has the output. */
  async #expectLater(text: string): Promise<void> {
    await vi.waitFor(async () => {
      this.#output = await runScript(this.#script, this.#place)
      expectLines(this.#output, text)
    }, LONG)
  }

  async #expectLog(text: string): Promise<void> {
    const readLog = this.#readLog ?? (() => this.#services.map(({ output }) => output).join(''))
    // A long line is continued in lines with a blank at their beginning.
    await vi.waitFor(() => expectLines(readLog(), text.replace(/\n +/g, '')), LONG)
  }
}

/** The name of the file in its first line: `# centripush.yaml`. */
function nameIn(text: string): string | undefined {
  return /^# (\S+\.yaml)\n/.exec(text)?.[1]
}
