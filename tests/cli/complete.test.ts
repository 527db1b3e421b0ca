import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { SUMMARIES } from '../../src/cli/command-summaries.ts'
import { COMPLETIONS } from '../../src/cli/completions.ts'
import { runInProcess } from '../config/command-line.ts'
import { makeDirectory } from './command.ts'

const PROGRAM = resolve(import.meta.dirname, '../../bin/centripush.js')
const COMMANDS = Object.keys(SUMMARIES)

describe.each(COMMANDS)('the help of %s', (name) => {
  test('is printed by --help, -h and "help", with an example and the exit codes', async () => {
    const { code, stdout, stderr } = await runInProcess([name, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^centripush ${name}`))
    expect(stdout).toMatch(new RegExp(`(For example: |^ +source <\\()centripush ${name}`, 'm'))
    expect(stdout).toMatch(/^Exits with 0|^Exit codes:$/m)
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
    expect(await runInProcess([name, '-h'])).toEqual({ code, stdout, stderr })
    expect(await runInProcess(['help', name])).toEqual({ code, stdout, stderr })
  })

  test('has the options that shells complete', async () => {
    const { stdout } = await runInProcess([name, '--help'])
    const described = [...stdout.matchAll(/(?<=^ {2}|, |; )--([a-z-]+)(?=,| [A-Z]| {2})/gm)]
    const options = new Set(described.map(([, option]) => option))
    expect(Object.keys(COMPLETIONS[name]?.options ?? {}).sort()).toEqual([...options].sort())
  })
})

test.each(['--version', '-v', 'version'])('%s prints the version of the package', async (argument) => {
  const { code, stdout } = await runInProcess([argument])
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/) })
})

/** The words that are offered for the last one of `words`. */
async function complete(...words: string[]): Promise<string[]> {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  await runInProcess(['complete', '--', ...words])
  vi.restoreAllMocks()
  return lines.filter((line) => !line.startsWith(':')).map((line) => line.split('\t')[0] ?? '')
}

test.each<[words: string[], offered: string[]]>([
  [['se'], ['serve', 'send']],
  [[''], COMMANDS],
  [
    ['serve', '--'],
    ['--config', '--role', '--lenient'],
  ],
  [
    ['serve', '--role', ''],
    ['api', 'worker', 'all'],
  ],
  [['serve', '--role', 'w'], ['worker']],
  [
    ['queue', 're'],
    ['resume', 'retry'],
  ],
  [
    ['queue', 'pause', ''],
    ['fcm', 'hms', 'apns', 'webpush'],
  ],
  [['queue', 'dead', '--provider', 'a'], ['apns']],
  [
    ['import', ''],
    ['devices', 'user-topics'],
  ],
])('%j is continued with %j', async (words, offered) => {
  expect((await complete(...words)).sort()).toEqual([...offered].sort())
})

test('files and directories are offered for options that name a file', async () => {
  const directory = makeDirectory()
  writeFileSync(join(directory, 'centripush.yaml'), '')
  mkdirSync(join(directory, 'certificates'))
  const offered = await complete('serve', '--config', `${directory}/cent`)
  expect(offered).toEqual([`${directory}/centripush.yaml`])
  expect(await complete('serve', '--config', `${directory}/cert`)).toEqual([`${directory}/certificates/`])
  expect(await complete('serve', '--config', `${directory}/none/a`)).toEqual([])
})

test('bash completes commands with the printed script', () => {
  // The two functions stand for the package bash-completion, and for bash in its completion.
  const script = `
    _get_comp_words_by_ref() { cur=re prev=queue cword=2 words=(centripush queue re); }
    compopt() { :; }
    centripush() { "${process.execPath}" "${PROGRAM}" "$@"; }
    source <(centripush complete bash)
    $(complete -p centripush | sed -E 's/.*-F ([^ ]+).*/\\1/')
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
  expect({
    words: stdout
      .trim()
      .split('\n')
      .map((word) => word.trim().split(/\s/)[0]),
    stderr,
  }).toEqual({
    words: ['resume', 'retry'],
    stderr: '',
  })
})
