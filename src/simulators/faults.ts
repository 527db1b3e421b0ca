// Errors on demand: a target whose value starts with one of these words and a hyphen gets that fault, and with
// `<word>-once-` only the first time. So a try-out or a test chooses what happens by the tokens it registers. Besides, a
// share of all requests can be made to meet one of the faults by chance.
import type { Answer } from './answer.ts'

/** What can go wrong below the answer (simulator-server.ts does it). */
export type WireFault =
  /** The plain answer, late. */
  | 'slow'
  /** No answer, ever. */
  | 'hang'
  /** RST_STREAM(INTERNAL_ERROR) in place of the answer. */
  | 'reset'
  /** RST_STREAM(REFUSED_STREAM): the server has not looked at the request. */
  | 'refuse'
  /** The plain answer, and GOAWAY with the id of the last stream that was processed. */
  | 'goaway'
  /** The connection is gone, without a word. */
  | 'cut'
  /** From here on nothing passes on the connection, which stays open: half-open, as behind a NAT that forgot it. */
  | 'stall'
  /** The plain answer, and another SETTINGS_MAX_CONCURRENT_STREAMS each time. */
  | 'squeeze'

/** One thing that can happen to a request. */
export interface Fault {
  /** For the help text. */
  does: string
  /** Whether the phone gets the push all the same. */
  isAccepted: boolean
  /** In place of the plain answer. */
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
  goaway: { does: 'accepted, and the connection ends with GOAWAY', isAccepted: true, wire: 'goaway' },
  cut: { does: 'accepted, then the connection is cut', isAccepted: true, wire: 'cut' },
  stall: { does: 'accepted, then nothing passes on the connection', isAccepted: true, wire: 'stall' },
  squeeze: { does: 'accepted, and the limit of streams changes', isAccepted: true, wire: 'squeeze' },
  html: { does: '502 with a page of HTML', isAccepted: false, answer: htmlPage() },
  huge: { does: '500 with 10 MB of text', isAccepted: false, answer: hugePage() },
} satisfies FaultTable

/** Faults by chance. */
export interface Misbehaviour {
  /** Of the requests, from 0 to 1. */
  share: number
  /** From 0 to 1, as Math.random, which it is unless given. */
  random?: () => number
  /** Which faults; all unless given. */
  words?: readonly string[]
  /** Told the word of each fault that happens, by chance or because a target asks for it. */
  onFault?: ((word: string) => void) | undefined
}

/** `F`: a fault as the simulator knows it. */
export class Faults<F extends Fault = Fault> {
  readonly #table: ReadonlyMap<string, F>
  readonly #misbehaviour: Misbehaviour
  readonly #chance: readonly string[]
  /** Targets of `…-once-` that had their fault. */
  readonly #spent = new Set<string>()

  constructor(deps: { table: FaultTable<F>; misbehaviour?: Misbehaviour | undefined }) {
    this.#table = new Map(Object.entries(deps.table))
    this.#misbehaviour = deps.misbehaviour ?? { share: 0 }
    const { words = [...this.#table.keys()] } = this.#misbehaviour
    this.#chance = words
  }

  /** The fault that a target asks for, which counts as its one time, or that chance has for it. */
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

/** What a load balancer answers when it can't reach the service behind it. */
function htmlPage(): Answer {
  const headers = { 'content-type': 'text/html; charset=UTF-8' }
  return { status: 502, headers, body: '<!DOCTYPE html><title>Error 502 (Server Error)!!1</title>' }
}

function hugePage(): Answer {
  return { status: 500, headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(HUGE_ANSWER_BYTES) }
}
