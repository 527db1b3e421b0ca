// The live parts of pages. However many pages are open, each subject is read and rendered once a second on this server,
// and only while a page shows it. So the parts are the same for all readers.
import type { Logger } from '../../observability/log.ts'
import { type Repetition, startRepeating } from '../../timing/repeat.ts'

const INTERVAL_MS = 1000
/** Proxies close a connection that is silent for a minute. A logout in another place ends a stream after this time. */
const HEARTBEAT_MS = 15_000

/** A part of a page. */
export interface LivePart {
  /** The id of the element that has the part. */
  id: string
  /** The rendered content of the element. */
  html: string
}

type OnParts = (parts: readonly LivePart[]) => void

interface Subject {
  load(): Promise<readonly LivePart[]>
  pages: Set<OnParts>
  isReading: boolean
}

/** Reads the subjects of all open pages. */
export class LivePolls {
  /** The pause between heartbeats of the streams, in ms. */
  readonly heartbeatMs: number
  readonly #logger: Logger
  readonly #subjects = new Map<string, Subject>()
  readonly #repetition: Repetition
  readonly #stopping = new AbortController()

  constructor(deps: { logger: Logger; intervalMs?: number; heartbeatMs?: number }) {
    this.heartbeatMs = deps.heartbeatMs ?? HEARTBEAT_MS
    this.#logger = deps.logger
    this.#repetition = startRepeating({
      intervalMs: deps.intervalMs ?? INTERVAL_MS,
      work: async () => this.readNow(),
      onError: (error) => this.#logger.error({ err: error }, 'admin: live pages not updated'),
    })
  }

  /** Aborts when the server stops. */
  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  /** The number of open pages. */
  get pages(): number {
    return [...this.#subjects.values()].reduce((sum, { pages }) => sum + pages.size, 0)
  }

  /**
   * Calls `onParts` about once a second until the returned function is called.
   * @param name pages with the same subject share its reads
   * @param load reads and renders the subject
   */
  watch(name: string, load: Subject['load'], onParts: OnParts): () => void {
    const subject = this.#subjects.get(name) ?? { load, pages: new Set(), isReading: false }
    this.#subjects.set(name, subject)
    subject.pages.add(onParts)
    return () => {
      subject.pages.delete(onParts)
      if (subject.pages.size === 0) this.#subjects.delete(name)
    }
  }

  /** Reads all subjects that are not being read. */
  readNow(): void {
    for (const [name, subject] of this.#subjects) {
      // A subject whose last read is still running is left out, so that a slow one does not delay the others.
      if (!subject.isReading) void this.#read(name, subject)
    }
  }

  /** Ends the streams of all pages. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#repetition.stop()
  }

  async #read(name: string, subject: Subject): Promise<void> {
    subject.isReading = true
    try {
      const parts = await subject.load()
      for (const onParts of subject.pages) onParts(parts)
    } catch (error) {
      this.#logger.debug({ err: error, subject: name }, 'admin: live page not read')
    } finally {
      subject.isReading = false
    }
  }
}
