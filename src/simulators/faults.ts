// Faults on demand. A target that starts with the word of a fault and a hyphen gets that fault: with `<word>-` each
// time, with `<word>-once-` only the first time. So a test chooses the faults by the tokens that it registers. In
// addition, a random share of all requests can get faults.
import type { Answer } from './answer.ts'

/** Faults of streams and connections. simulator-server.ts produces them. */
export type WireFault =
  /** The fault of answering late. */
  | 'slow'
  /** The fault of never answering. */
  | 'hang'
  /** The fault of sending RST_STREAM(INTERNAL_ERROR) instead of the answer. */
  | 'reset'
  /**
   * The fault of sending RST_STREAM(REFUSED_STREAM): the client learns that the server has not processed the request.
   */
  | 'refuse'
  /** The fault of sending the usual answer, then GOAWAY with the id of the last processed stream. */
  | 'goaway'
  /** The fault of resetting the TCP connection without GOAWAY. */
  | 'cut'
  /** The fault of passing no more bytes on the connection, which stays open, as behind a NAT that lost its state. */
  | 'stall'
  /** The fault of sending the usual answer, and reducing or restoring SETTINGS_MAX_CONCURRENT_STREAMS. */
  | 'squeeze'

/** A fault that a request can get. */
export interface Fault {
  /** The effect of the fault, for the help text. */
  does: string
  /** Whether the simulated device gets the push in spite of the fault. */
  isAccepted: boolean
  /** The answer that replaces the usual one. */
  answer?: Answer
  wire?: WireFault
}

/** Faults by their words: a target that starts with a word and a hyphen requests its fault. */
export type FaultTable<F extends Fault = Fault> = Readonly<Record<string, F>>

const HUGE_ANSWER_BYTES = 10 * 1024 * 1024

/** The faults of streams and connections and of HTTP that every simulator can produce. */
export const SHARED_FAULTS = {
  slow: { does: 'accepted, answered late', isAccepted: true, wire: 'slow' },
  hang: { does: 'accepted, never answered', isAccepted: true, wire: 'hang' },
  reset: { does: 'accepted, then the stream is reset', isAccepted: true, wire: 'reset' },
  refuse: { does: 'the stream is refused', isAccepted: false, wire: 'refuse' },
  goaway: { does: 'accepted, then the connection ends with GOAWAY', isAccepted: true, wire: 'goaway' },
  cut: { does: 'accepted, then the connection is cut', isAccepted: true, wire: 'cut' },
  stall: { does: 'accepted, then no more bytes pass on the connection', isAccepted: true, wire: 'stall' },
  squeeze: { does: 'accepted, and the limit of streams changes', isAccepted: true, wire: 'squeeze' },
  html: { does: '502 with a page of HTML', isAccepted: false, answer: htmlPage() },
  huge: { does: '500 with 10 MB of text', isAccepted: false, answer: hugePage() },
} satisfies FaultTable

/** Which requests get random faults. */
export interface Misbehaviour {
  /** The share of the requests that get a fault, from 0 to 1. */
  share: number
  /** Returns numbers from 0 to 1; Math.random unless given. */
  random?: () => number
  /** The words of the faults to choose from; all faults unless given. */
  words?: readonly string[]
  /** Called with the word of each fault, whether it is random or requested by a target. */
  onFault?: ((word: string) => void) | undefined
}

/** Decides the faults of requests. `F` is the type of the simulator's faults. */
export class Faults<F extends Fault = Fault> {
  readonly #table: ReadonlyMap<string, F>
  readonly #misbehaviour: Misbehaviour
  readonly #chance: readonly string[]
  /** Targets with `-once-` in their name that already had their fault. */
  readonly #spent = new Set<string>()

  constructor(deps: { table: FaultTable<F>; misbehaviour?: Misbehaviour | undefined }) {
    this.#table = new Map(Object.entries(deps.table))
    this.#misbehaviour = deps.misbehaviour ?? { share: 0 }
    const { words = [...this.#table.keys()] } = this.#misbehaviour
    this.#chance = words
  }

  /**
   * The fault for a request to this target: the one that the target requests, or a random one; undefined: no fault. A
   * target with `-once-` has had its fault then.
   */
  take(target: string): F | undefined {
    const word = this.#wordOf(target) ?? this.#wordByChance()
    if (word !== undefined) this.#misbehaviour.onFault?.(word)
    return word === undefined ? undefined : this.#table.get(word)
  }

  #wordOf(target: string): string | undefined {
    const [word = '', second] = target.split('-', 2)
    if (second === undefined || !this.#table.has(word)) return undefined
    if (second !== 'once') return word
    if (this.#spent.has(target)) return undefined
    this.#spent.add(target)
    return word
  }

  #wordByChance(): string | undefined {
    const { share, random = Math.random } = this.#misbehaviour
    if (share === 0 || random() >= share) return undefined
    return this.#chance[Math.floor(random() * this.#chance.length)]
  }
}

/** An HTML page, as a load balancer answers that cannot reach the service. */
function htmlPage(): Answer {
  const headers = { 'content-type': 'text/html; charset=UTF-8' }
  return { status: 502, headers, body: '<!DOCTYPE html><title>Error 502 (Server Error)!!1</title>' }
}

function hugePage(): Answer {
  return { status: 500, headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(HUGE_ANSWER_BYTES) }
}
