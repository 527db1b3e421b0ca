// Errors on demand. A target whose value starts with one of these words and a hyphen gets that fault; with
// `<word>-once-` only the first time. So a test chooses the faults by the tokens that it registers. Besides, a random
// share of all requests can get faults.
import type { Answer } from './answer.ts'

/** Faults of streams and connections, which simulator-server.ts produces. */
export type WireFault =
  /** The usual answer, late. */
  | 'slow'
  /** No answer, ever. */
  | 'hang'
  /** RST_STREAM(INTERNAL_ERROR) in place of the answer. */
  | 'reset'
  /** RST_STREAM(REFUSED_STREAM): the server has not processed the request. */
  | 'refuse'
  /** The usual answer, and GOAWAY with the id of the last processed stream. */
  | 'goaway'
  /** The TCP connection is reset without GOAWAY. */
  | 'cut'
  /** No more bytes pass on the connection, which stays open, as behind a NAT that lost its state. */
  | 'stall'
  /** The usual answer, and another SETTINGS_MAX_CONCURRENT_STREAMS each time. */
  | 'squeeze'

/** A fault of one request. */
export interface Fault {
  /** The effect, for the help text. */
  does: string
  /** Whether the device gets the push in spite of the fault. */
  isAccepted: boolean
  /** Replaces the usual answer. */
  answer?: Answer
  wire?: WireFault
}

/** Faults by the word that asks for them. */
export type FaultTable<F extends Fault = Fault> = Readonly<Record<string, F>>

const HUGE_ANSWER_BYTES = 10 * 1024 * 1024

/** The faults that every simulator has. */
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

/** Faults of random requests. */
export interface Misbehaviour {
  /** The share of the requests that get a fault, from 0 to 1. */
  share: number
  /** Returns numbers from 0 to 1; Math.random unless given. */
  random?: () => number
  /** The faults to choose from; all unless given. */
  words?: readonly string[]
  /** Called with the word of each fault, random or requested by a target. */
  onFault?: ((word: string) => void) | undefined
}

/** Decides the faults of requests. `F` is the type of the simulator's faults. */
export class Faults<F extends Fault = Fault> {
  readonly #table: ReadonlyMap<string, F>
  readonly #misbehaviour: Misbehaviour
  readonly #chance: readonly string[]
  /** Targets with `-once-` that already had their fault. */
  readonly #spent = new Set<string>()

  constructor(deps: { table: FaultTable<F>; misbehaviour?: Misbehaviour | undefined }) {
    this.#table = new Map(Object.entries(deps.table))
    this.#misbehaviour = deps.misbehaviour ?? { share: 0 }
    const { words = [...this.#table.keys()] } = this.#misbehaviour
    this.#chance = words
  }

  /** The fault that a target requests, which counts for `-once-`, or a random one. Undefined: no fault. */
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

/** The answer of a load balancer that cannot reach the service. */
function htmlPage(): Answer {
  const headers = { 'content-type': 'text/html; charset=UTF-8' }
  return { status: 502, headers, body: '<!DOCTYPE html><title>Error 502 (Server Error)!!1</title>' }
}

function hugePage(): Answer {
  return { status: 500, headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(HUGE_ANSWER_BYTES) }
}
