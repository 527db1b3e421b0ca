// Follows the steps of deploy/Dockerfile without Docker: each stage is a folder, and paths of the image are below it.
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run-command.ts'

/** The result of the last stage. */
export interface Image {
  /** The working directory. */
  directory: string
  /** ENTRYPOINT and CMD. */
  command: string[]
  env: Record<string, string>
  /** The size of all files but the base image's. */
  kilobytes: number
}

interface Stage {
  root: string
  workdir: string
  env: Record<string, string>
  entrypoint: string[]
  command: string[]
}

/** Paths of the image outside of its working directory that steps use. */
const IMAGE_PATHS = /(?<=^|[\s="])\/(?:data|etc\/centripush)(?=$|[\s"])/g

/** Runs the steps below `directory`. @throws Error for a step that it does not know */
export async function buildImage(context: string, directory: string): Promise<Image> {
  const bin = makeStandIns(directory)
  const stages = new Map<string, Stage>()
  let stage: Stage | undefined
  for (const line of readSteps(join(context, 'deploy/Dockerfile'))) {
    const [step = '', rest = ''] = split(line)
    if (step === 'FROM') {
      const name = / AS (\w+)$/.exec(rest)?.[1] ?? 'last'
      stage = { root: join(directory, name), workdir: '/', env: {}, entrypoint: [], command: [] }
      stages.set(name, stage)
    } else if (stage) await runStep(stage, step, rest, { context, stages, bin })
  }
  if (!stage) throw new Error('deploy/Dockerfile has no stage')
  const { root, workdir, entrypoint, command, env } = stage
  const kilobytes = Number((await run('du', ['-sk', root], directory)).split('\t')[0])
  return { directory: join(root, workdir), command: [...entrypoint, ...command], env, kilobytes }
}

/** Programs that do nothing here: the users of the image do not exist. */
function makeStandIns(directory: string): string {
  const bin = join(directory, 'stand-ins')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'chown'), '#!/bin/sh\n')
  chmodSync(join(bin, 'chown'), 0o755)
  return bin
}

function readSteps(file: string): string[] {
  const lines = readFileSync(file, 'utf8').replace(/\\\n/g, ' ').split('\n')
  return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
}

function split(line: string): [string, string] {
  const at = line.indexOf(' ')
  return [line.slice(0, at), line.slice(at + 1).trim()]
}

interface Around {
  context: string
  stages: ReadonlyMap<string, Stage>
  bin: string
}

async function runStep(stage: Stage, step: string, rest: string, { context, stages, bin }: Around): Promise<void> {
  const inImage = (text: string) => text.replace(IMAGE_PATHS, (path) => `${stage.root}${path}`)
  const directory = join(stage.root, stage.workdir)
  switch (step) {
    case 'WORKDIR':
      stage.workdir = rest
      return void mkdirSync(join(stage.root, rest), { recursive: true })
    case 'ENV':
      for (const pair of rest.split(' '))
        stage.env[pair.split('=')[0] ?? ''] = inImage(pair.slice(pair.indexOf('=') + 1))
      return
    case 'COPY':
      return copy(rest, directory, context, stages)
    case 'RUN':
      await run('sh', ['-ec', inImage(rest)], directory, { ...stage.env, PATH: `${bin}:${process.env.PATH}` })
      return
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest)
      return
    case 'CMD':
      stage.command = JSON.parse(rest)
      return
    case 'VOLUME':
    case 'USER':
    case 'EXPOSE':
    case 'HEALTHCHECK':
      return
    default:
      throw new Error(`deploy/Dockerfile: the step ${step} is not known to this test`)
  }
}

function copy(rest: string, directory: string, context: string, stages: ReadonlyMap<string, Stage>): void {
  const from = /^--from=(\w+) /.exec(rest)
  const paths = (from ? rest.slice(from[0].length) : rest).split(' ')
  const target = paths.pop() ?? ''
  for (const path of paths) {
    const source = from ? join(stages.get(from[1] ?? '')?.root ?? '', path) : join(context, path)
    cpSync(source, target.endsWith('/') ? join(directory, target, path) : join(directory, target), { recursive: true })
  }
}
