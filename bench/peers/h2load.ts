// h2load of nghttp2, a C client.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from '../harness/programs.ts'
import type { Load, Rate } from './load.ts'

const run = promisify(execFile)

/** h2load's rate with the same headers and a body of the same size. @throws Error when a request fails */
export async function runH2load(sink: { origin: string }, load: Load): Promise<Rate> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-h2load-'))
  const body = join(directory, 'body')
  await writeFile(body, load.bodyOf(0))
  const { stdout } = await run(findProgram('h2load'), [
    ...['-t', '1', '-n', String(load.requests), '-c', String(load.connections), '-m', String(load.streams)],
    ...['-d', body, ...Object.entries(load.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])],
    `${sink.origin}${load.path}`,
  ]).finally(() => rm(directory, { recursive: true }))
  const succeeded = Number(/(\d+) succeeded/.exec(stdout)?.[1])
  const perSecond = Number(/([\d.]+) req\/s/.exec(stdout)?.[1])
  if (succeeded !== load.requests || !(perSecond > 0)) throw new Error('h2load: not all requests succeeded')
  return { perSecond }
}
