// Where an import comes from: batches of JSON values, each with where the next batch starts.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { JsonText } from '../../protocol/json-text.ts'
import { CommandLineError } from '../command-line-error.ts'
import { type Line, readLines } from './read-lines.ts'
import type { Position } from './resume-state.ts'

export interface SourceItem {
  /** Its number, from 1. */
  line: number
  /** Undefined for a line too long to be read. */
  json: Buffer | JsonText | undefined
}

export interface SourceBatch {
  items: SourceItem[]
  /** Where to go on once these are stored. */
  next: Position
}

/** Made anew for each run. */
export interface ImportSource {
  /** For `--resume`: what the input is. */
  name: string
  /** Where it starts. */
  start: Position
  /** How far `position` is, of how much; undefined when it can't be told. */
  measure(position: Position): { done: number; total: number } | undefined
  read(start: Position): AsyncIterable<SourceBatch>
}

/** Enough to make round trips and the commit a small share, few enough to hold up the server's own work for a moment only. */
const BATCH_LINES = 500

/** NDJSON in a file, or on standard input for `-`. @throws CommandLineError when there is no such file */
export async function openFileSource(path: string, stdin: AsyncIterable<Buffer>): Promise<ImportSource> {
  const total = path === '-' ? undefined : await readSize(path)
  return {
    name: path === '-' ? 'standard input' : path,
    start: { at: 0, line: 0 },
    measure: ({ at }) => (total === undefined ? undefined : { done: Number(at), total }),
    read({ at, line }) {
      const offset = Number(at)
      const chunks = path === '-' ? skip(stdin, offset) : readFrom(path, offset)
      return batchLines(readLines(chunks, { offset, line }))
    },
  }
}

async function readSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    throw new CommandLineError(`${path}: can't be read (${error instanceof Error ? error.message : 'unknown'})`)
  }
}

async function* readFrom(path: string, start: number): AsyncGenerator<Buffer> {
  // Without an encoding, the stream's chunks are buffers.
  for await (const chunk of createReadStream(path, { start })) yield chunk as Buffer
}

/** Standard input can't be started in its middle. */
async function* skip(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left)
    left = Math.max(left - chunk.length, 0)
  }
}

async function* batchLines(lines: AsyncIterable<Line>): AsyncGenerator<SourceBatch> {
  let items: SourceItem[] = []
  let last: Line | undefined
  for await (const line of lines) {
    items.push({ line: line.number, json: line.bytes })
    last = line
    if (items.length < BATCH_LINES) continue
    yield { items, next: positionBehind(line) }
    items = []
  }
  if (last && items.length > 0) yield { items, next: positionBehind(last) }
}

function positionBehind({ number, endOffset }: Line): Position {
  return { at: endOffset, line: number }
}
