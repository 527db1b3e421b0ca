// The source of an import: it yields batches of JSON values, each with the position at which the next batch starts.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { explainFileError } from '../../config/read-option-file.ts'
import type { JsonText } from '../../json/json-text.ts'
import { CommandLineError } from '../command-line-error.ts'
import { type Line, readLines } from './read-lines.ts'
import type { Position } from './resume-state.ts'

export interface SourceItem {
  /** The number of the line or item in the source, from 1. */
  line: number
  /** The JSON of the record; undefined for a line that is too long. */
  json: Buffer | JsonText | undefined
}

export interface SourceBatch {
  items: SourceItem[]
  /** The position from which an import continues once this batch is stored. */
  next: Position
}

/** The source of the records of one import. Make a new one for each run. */
export interface ImportSource {
  /** The name of the input, by which the state file of `--resume` identifies it. */
  name: string
  /** The position of the first record. */
  start: Position
  /** How much of the source is before `position`; undefined if the total is unknown. */
  measure(position: Position): { done: number; total: number } | undefined
  read(start: Position): AsyncIterable<SourceBatch>
}

/**
 * The number of lines in a batch: enough that round trips and commits cost little, few enough that a batch delays other
 * requests only briefly.
 */
const BATCH_LINES = 500

/** Opens an NDJSON file, or standard input for `-`, as a source. @throws CommandLineError if the file can't be read */
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
    throw new CommandLineError(`${path} ${explainFileError(error)}`, { cause: error })
  }
}

async function* readFrom(path: string, start: number): AsyncGenerator<Buffer> {
  // The cast is safe: a stream without an encoding yields buffers.
  for await (const chunk of createReadStream(path, { start })) yield chunk as Buffer
}

/** Discards the first `bytes` bytes of the input. Standard input can't be opened at an offset, so they are read. */
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
