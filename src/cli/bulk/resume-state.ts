// How far an import is, in a small file: written after each batch that is stored, so that a later run goes on behind it.
// What runs twice after a crash is stored twice to the same effect.
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import * as v from 'valibot'
import { CommandLineError } from '../command-line-error.ts'

const Position = v.object({
  /** Bytes of a file, or a list's cursor. */
  at: v.union([v.number(), v.string()]),
  /** Lines or items before it. */
  line: v.number(),
})
/** Behind which line of the input everything is still to do. */
export type Position = v.InferOutput<typeof Position>

const State = v.object({ source: v.string(), position: Position })

/** The state of an import of `source` in a file; without a file nothing is kept. */
export class ResumeState {
  readonly #file: string | undefined
  readonly #source: string

  constructor(deps: { file: string | undefined; source: string }) {
    this.#file = deps.file
    this.#source = deps.source
  }

  /** Where an earlier run has stopped; undefined when there was none. @throws CommandLineError when it was of another source */
  async load(): Promise<Position | undefined> {
    if (this.#file === undefined) return undefined
    const text = await readFile(this.#file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    if (text === undefined) return undefined
    const state = parseState(text)
    if (!state) throw new CommandLineError(`--resume: ${this.#file} is not the state of an import`)
    if (state.source !== this.#source) throw new CommandLineError(`--resume: ${this.#file} is of ${state.source}`)
    return state.position
  }

  /** Never leaves half a state behind. */
  async save(position: Position): Promise<void> {
    if (this.#file === undefined) return
    await writeFile(`${this.#file}.new`, `${JSON.stringify({ source: this.#source, position })}\n`)
    await rename(`${this.#file}.new`, this.#file)
  }

  /** All is done: the next run starts anew. */
  async clear(): Promise<void> {
    if (this.#file !== undefined) await rm(this.#file, { force: true })
  }
}

function parseState(text: string): v.InferOutput<typeof State> | undefined {
  try {
    return v.parse(State, JSON.parse(text))
  } catch {
    // Whatever it is, it is none.
    return undefined
  }
}
