import type { StandIns } from '../stand-ins.ts'

/** The parts beside the blocks of a document. */
export interface Prepared {
  standIns: StandIns
  /** The log of a server in this process; undefined if the document starts its own. */
  readLog?(): string
  /** Whether there is no Python with the SDK of Centrifugo. */
  isPythonMissing?: boolean
}

/** The running parts of a document. They are stopped in the reverse order of their starts. */
export class RunningParts {
  readonly #stops: (() => Promise<unknown>)[] = []

  /** Keeps a part that has started. */
  async add<Part>(started: Promise<Part>, stop: (part: Part) => Promise<unknown>): Promise<Part> {
    const part = await started
    this.#stops.push(() => stop(part))
    return part
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop()
  }
}
