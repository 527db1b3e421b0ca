// Go's net/http, where Go is installed.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { findProgram } from '../harness/programs.ts'
import type { Load, Rate } from './load.ts'
import { ANSWER, type Sink } from './nghttpd.ts'

const run = promisify(execFile)
const Printed = v.object({ perSecond: v.number(), cpuMicrosPerRequest: v.number() })

/** The client, built once. */
export interface GoClient {
  /** The client's rate. @throws Error on an unexpected answer */
  run(sink: Sink, load: Load): Promise<Rate>
  stop(): Promise<void>
}

/** Builds the client. */
export async function buildGoClient(): Promise<GoClient> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-go-'))
  const program = join(directory, 'client')
  await run(findProgram('go'), ['build', '-o', program, '.'], { cwd: join(import.meta.dirname, 'go') })
  return {
    run: async (sink, load) => {
      const caFile = join(directory, 'ca.pem')
      await writeFile(caFile, sink.ca)
      const { stdout } = await run(program, [
        ...['-url', `${sink.origin}${load.path}`, '-ca', caFile, '-answer', ANSWER],
        ...['-connections', `${load.connections}`, '-streams', `${load.streams}`, '-requests', `${load.requests}`],
        ...['-bearer', load.headers.authorization ?? '', '-body', load.bodyOf(0).replace(/t{162}0/, '%163s')],
      ])
      return v.parse(Printed, JSON.parse(stdout))
    },
    stop: () => rm(directory, { recursive: true, force: true }),
  }
}
