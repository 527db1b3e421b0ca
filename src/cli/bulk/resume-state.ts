// The position of an import, in a small file that is written after each stored batch, so that a later run continues
// from there. After a crash the last batches may be stored twice, which has the same effect as once.
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import * as v from 'valibot'
import { CommandLineError } from '../command-line-error.ts'

const Position = v.object({
  /** The position in the input: an offset in bytes for a file, a cursor for the list of a server. */
  at: v.union([v.number(), v.string()]),
  /** The number of lines or items before the position. */
  line: v.number(),
})
/** A position in the input of an import. All records before it are stored. */
export type Position = v.InferOutput<typeof Position>

const count = v.optional(v.number(), 0)
const ImportCounts = v.object({ stored: count, kept: count, rejected: count })
/** The numbers of records that an import has stored, kept and rejected, over all its runs. */
export type ImportCounts = v.InferOutput<typeof ImportCounts>

const State = v.object({ source: v.string(), position: Position, counts: v.optional(ImportCounts, {}) })

/** The counts at the beginning of an import. */
export const NO_COUNTS: ImportCounts = { stored: 0, kept: 0, rejected: 0 }

/** The state of an import that is not complete. */
export interface ImportState {
  position: Position
  counts: ImportCounts
}

/** Keeps the position of an import in a file. Without a file it does nothing. */
export class ResumeState {
  readonly #file: string | undefined
  readonly #source: string

  constructor(deps: { file: string | undefined; source: string }) {
    this.#file = deps.file
    this.#source = deps.source
  }

  /**
   * Reads where an earlier run stopped, and its counts; undefined if there is no file.
   * @throws CommandLineError if the file was not written by an import, or belongs to an import of another source
   */
  async load(): Promise<ImportState | undefined> {
    if (this.#file === undefined) return undefined
    const text = await readFile(this.#file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    if (text === undefined) return undefined
    const state = parseState(text)
    if (!state) throw new CommandLineError(`--resume: ${this.#file} was not written by an import`)
    if (state.source !== this.#source)
      throw new CommandLineError(`--resume: ${this.#file} belongs to another import, of ${state.source}`)
    return state
  }

  /** Stores the state. The file is replaced in one step, so after a crash it has the old state or the new one. */
  async save({ position, counts }: ImportState): Promise<void> {
    if (this.#file === undefined) return
    await writeFile(`${this.#file}.new`, `${JSON.stringify({ source: this.#source, position, counts })}\n`)
    await rename(`${this.#file}.new`, this.#file)
  }

  /** Removes the file, because the import is complete: the next run starts from the beginning. */
  async clear(): Promise<void> {
    if (this.#file !== undefined) await rm(this.#file, { force: true })
  }
}

function parseState(text: string): v.InferOutput<typeof State> | undefined {
  try {
    return v.parse(State, JSON.parse(text))
  } catch {
    // The file is not JSON, or not the state of an import.
    return undefined
  }
}
