// Every command, configuration, request and program of the documents is run as it is written, in the order of its
// document. A block that can't be run has a comment with the reason before it.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SUMMARIES } from '../../src/cli/command-summaries.ts'
import { readBlocks } from './blocks.ts'
import { prepareDocument } from './prepare/documents.ts'
import { DocumentSession } from './session.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const docs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'))
const documents = ['README.md', ...docs.map((name) => `docs/${name}`)].map((name) => ({
  name,
  blocks: readBlocks(join(ROOT, name)),
}))

test('the blocks that are not run have a reason', () => {
  const notRun = documents.flatMap(({ name, blocks }) =>
    blocks.flatMap(({ line, notRun }) => (notRun === undefined ? [] : [`${name}:${line}: not run: ${notRun}`])),
  )
  console.log(notRun.join('\n'))
  for (const line of notRun) expect(line).toMatch(/: not run: \S+ \S+/)
})

test('the table of commands in the README has each command', () => {
  const [, table = ''] = /\n## Commands\n([\s\S]*?)\n## /.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? []
  const named = [...table.matchAll(/`([a-z-]+)[^`]*`/g)].map(([, name]) => name)
  for (const name of Object.keys(SUMMARIES)) expect(named).toContain(name)
})

describe.each(documents.filter(({ blocks }) => blocks.some(({ notRun }) => notRun === undefined)))(
  '$name',
  ({ name, blocks }) => {
    let prepared: Awaited<ReturnType<typeof prepareDocument>>
    let session: DocumentSession

    beforeAll(async () => {
      prepared = await prepareDocument(name)
      session = new DocumentSession(prepared)
    })
    afterAll(async () => {
      await session.stop()
      await prepared.stop()
    })

    for (const block of blocks) {
      const { line, language, use, notRun } = block
      const title = `line ${line}: ${language} ${use}`
      test.skipIf(notRun !== undefined)(title, async ({ skip }) => {
        skip(language === 'python' && prepared.isPythonMissing === true, 'no Python with the SDK')
        await session.run(block)
      })
    }
  },
)
