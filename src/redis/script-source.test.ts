import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadScriptSource } from './script-source.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'centripush-scripts-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function load(files: Record<string, string>): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, `${name}.lua`), text)
  return loadScriptSource(pathToFileURL(join(folder, 'script.lua')))
}

test('a script without includes is its file', async () => {
  expect(await load({ script: '#!lua\nreturn 1\n' })).toBe('#!lua\nreturn 1\n')
})

test('an include takes the place of its line, and the first line stays the first', async () => {
  const source = await load({ script: '#!lua\n--- @include one\nreturn one\n', one: 'local one = 1\n' })
  expect(source).toBe('#!lua\nlocal one = 1\nreturn one\n')
})

test('an include that several files name is included once, before the first of them', async () => {
  const source = await load({
    script: '--- @include left\n--- @include right\n',
    left: '--- @include shared\nleft()\n',
    right: '--- @include shared\nright()\n',
    shared: 'shared()\n',
  })
  expect(source).toBe('shared()\nleft()\n\nright()\n')
})

test('files that include each other are included once', async () => {
  const source = await load({ script: '--- @include a\n', a: '--- @include b\na()\n', b: '--- @include a\nb()\n' })
  expect(source.match(/[ab]\(\)/g)).toEqual(['b()', 'a()'])
})

test('an include with the patterns of String.replace() is taken literally', async () => {
  expect(await load({ script: '--- @include a\n', a: "match('^$&$1')\n" })).toBe("match('^$&$1')\n")
})

test('a missing include is an error that names the script and the include', async () => {
  await expect(load({ script: '--- @include absent\n' })).rejects.toThrow(
    'script.lua includes absent, but absent.lua does not exist',
  )
  await expect(load({ script: '--- @include a\n', a: '--- @include absent\n' })).rejects.toThrow(
    'script.lua includes absent (by a.lua), but absent.lua does not exist',
  )
})

test('a missing script is an error that names it', () => {
  expect(() => loadScriptSource(pathToFileURL(join(folder, 'absent.lua')))).toThrow('absent.lua does not exist')
})
