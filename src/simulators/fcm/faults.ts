// Errors on demand: a target whose value starts with one of these words gets that answer, and with `<word>-once-` only
// the first time. So a try-out or a test chooses what happens by the tokens it registers.
import { type Answer, fcmErrorDetail, googleError, quotaExceeded } from './google-error.ts'

/** What to do instead of the plain answer. All but `answer` take the message first: the phone would get it. */
export type Fault =
  | { kind: 'answer'; answer: Answer }
  /** Answers as usual, late. */
  | { kind: 'slow' }
  /** Never answers. */
  | { kind: 'hang' }
  /** Resets the stream. */
  | { kind: 'reset' }

/** The words and what they do, for the help text. */
export const FAULT_WORDS = {
  unregistered: '404 UNREGISTERED',
  invalid: '400 INVALID_ARGUMENT, the token is not valid',
  senderid: '403 SENDER_ID_MISMATCH',
  quota: '429 QUOTA_EXCEEDED with Retry-After',
  unavailable: '503 UNAVAILABLE',
  internal: '500 INTERNAL',
  html: '502 with a page of HTML',
  slow: 'accepted, answered late',
  hang: 'accepted, never answered',
  reset: 'accepted, then the stream is reset',
} as const

type FaultWord = keyof typeof FAULT_WORDS

export class Faults {
  readonly #project: string
  readonly #retryAfterSeconds: number
  /** Targets of `…-once-` that had their fault. */
  readonly #spent = new Set<string>()

  constructor(deps: { project: string; retryAfterSeconds: number }) {
    this.#project = deps.project
    this.#retryAfterSeconds = deps.retryAfterSeconds
  }

  /** The fault that a target asks for; counts as its one time. */
  take(target: string): Fault | undefined {
    const [word = '', second] = target.split('-')
    if (!target.includes('-') || !isFaultWord(word)) return undefined
    if (second === 'once') {
      if (this.#spent.has(target)) return undefined
      this.#spent.add(target)
    }
    return this.#faultOf(word)
  }

  #faultOf(word: FaultWord): Fault {
    switch (word) {
      case 'unregistered':
        return answerWith(404, 'NOT_FOUND', 'UNREGISTERED')
      case 'invalid':
        return answerWith(400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT')
      case 'senderid':
        return answerWith(403, 'PERMISSION_DENIED', 'SENDER_ID_MISMATCH')
      case 'quota':
        return { kind: 'answer', answer: quotaExceeded(this.#project, this.#retryAfterSeconds) }
      case 'unavailable':
        return answerWith(503, 'UNAVAILABLE', 'UNAVAILABLE')
      case 'internal':
        return answerWith(500, 'INTERNAL', 'INTERNAL')
      case 'html':
        return { kind: 'answer', answer: htmlPage() }
      case 'slow':
      case 'hang':
      case 'reset':
        return { kind: word }
    }
  }
}

function isFaultWord(word: string): word is FaultWord {
  return Object.hasOwn(FAULT_WORDS, word)
}

function answerWith(code: number, status: string, fcmCode: string): Fault {
  const message =
    fcmCode === 'INVALID_ARGUMENT' ? 'The registration token is not a valid FCM registration token' : fcmCode
  return { kind: 'answer', answer: googleError(code, status, message, [fcmErrorDetail(fcmCode)]) }
}

/** What a load balancer in front of FCM answers when it can't reach it. */
function htmlPage(): Answer {
  const headers = { 'content-type': 'text/html; charset=UTF-8' }
  return { status: 502, headers, body: '<!DOCTYPE html><title>Error 502 (Server Error)!!1</title>' }
}
