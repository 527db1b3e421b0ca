import { type FileHandle, open } from 'node:fs/promises'

/** How many rejected lines are printed if no file for them is given. The others are only counted. */
const MAX_SHOWN = 20

/** The rejected lines of an import: their numbers and reasons, never their content. */
export class Rejects {
  readonly #file: FileHandle | undefined
  readonly #print: (line: string) => void
  #count = 0

  private constructor(file: FileHandle | undefined, print: (line: string) => void) {
    this.#file = file
    this.#print = print
  }

  /**
   * @param options.file gets the rejected lines as NDJSON, appended if `isResumed`; undefined: the first ones are
   * printed
   */
  static async open(options: { file: string | undefined; isResumed: boolean; print(line: string): void }) {
    const file = options.file === undefined ? undefined : await open(options.file, options.isResumed ? 'a' : 'w')
    return new Rejects(file, options.print)
  }

  async add(line: number, reason: string): Promise<void> {
    this.#count++
    if (this.#file) await this.#file.write(`${JSON.stringify({ line, reason })}\n`)
    else if (this.#count <= MAX_SHOWN) this.#print(`line ${line}: ${reason}`)
    else if (this.#count === MAX_SHOWN + 1)
      this.#print('more lines are rejected; --rejected FILE writes all of them to a file')
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}
