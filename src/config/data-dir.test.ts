import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { makeDataDir } from './data-dir.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'centripush-data-dir-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('makes the directory and its parents, and accepts an existing one', () => {
  const path = join(directory, 'a', 'b')
  makeDataDir(path)
  makeDataDir(path)
  expect(statSync(path).isDirectory()).toBe(true)
})

test('a file in its place or in place of a parent is refused', () => {
  const file = join(directory, 'file')
  writeFileSync(file, '')
  for (const path of [file, join(file, 'data')]) expect(() => makeDataDir(path)).toThrow(ConfigError)
})

test.runIf(process.platform === 'linux')('a file system that refuses new directories is refused', () => {
  expect(() => makeDataDir('/proc/nowhere/data')).toThrow(
    /^config: data_dir: \/proc\/nowhere\/data can't be used: ENOENT/,
  )
})
