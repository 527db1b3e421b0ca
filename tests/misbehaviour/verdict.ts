// Compares the simulator's record of each target with the outcome that the server reports. The record is the truth:
//
//   a final answer (accepted, refused for good)   the server counts this outcome and makes no further request
//   any other answer, or none                     the server tries again, or gives up and keeps a dead letter
//
// A second push to a target is allowed only when the first one was accepted and its answer was withheld.
import type { Answer } from '../../src/simulators/answer.ts'
import type { Treatment } from '../../src/simulators/simulated-request.ts'
import type { Reading } from './misbehaving-provider.ts'

/** The outcomes that the server reports. */
export interface ServerReport {
  /** Targets with a final outcome by its error code; the code of accepted pushes is empty. */
  counted: ReadonlyMap<string, number>
  /** Targets given up, by the metrics. */
  givenUp: number
  /** The targets of the dead letters. */
  deadLetters: readonly string[]
}

/** Everything that a verdict is based on. */
export interface Evidence {
  targets: readonly string[]
  /** In the order in which the simulator processed them. */
  treatments: readonly Treatment[]
  /** How often each fault happened. */
  faults: ReadonlyMap<string, number>
  /** The meaning of an answer for a target. */
  read(answer: Answer, target: string): Reading
  report: ServerReport
}

/** The figures of a run, and its broken promises. */
export interface Verdict {
  faults: ReadonlyMap<string, number>
  requests: number
  /** Pushes that the provider accepted. */
  accepted: number
  /** Accepted pushes beyond the first of each target. */
  duplicates: number
  /** Accepted pushes without an answer to the server. */
  withheld: number
  sent: number
  failed: number
  givenUp: number
  /** Broken promises, a sentence each; empty when all of them held. */
  broken: string[]
}

/** The requests for one target. */
interface History {
  accepted: number
  withheld: number
  /** The answer to the last request; undefined without an answer. */
  last: Reading | undefined
  /** Requests after a final answer. */
  needless: number
  /** Accepted pushes after one whose acceptance was answered. */
  needlessPushes: number
}

/** Compares the record of every target with the server's report. */
export function judge({ targets, treatments, faults, read, report }: Evidence): Verdict {
  const histories = new Map(targets.map((target) => [target, newHistory()]))
  let strays = 0
  for (const treatment of treatments) {
    for (const target of treatment.targets) {
      const history = histories.get(target)
      if (history) note(history, target, treatment, read)
      else strays++
    }
  }
  const dead = new Set(report.deadLetters)
  const all = [...histories]
  const ended = all.filter(([target]) => !dead.has(target)).map(([, { last }]) => last)
  const sum = (count: (history: History) => number) => all.reduce((total, [, history]) => total + count(history), 0)
  const counted = [...report.counted.values()].reduce((total, count) => total + count, 0)
  const broken: string[] = []
  const none = (bad: number, sentence: string) => {
    if (bad > 0) broken.push(`${bad} ${sentence}`)
  }
  const same = (is: number, was: number, sentence: string) => {
    if (is !== was) broken.push(`${sentence}: ${is} and ${was}`)
  }
  none([...faults.values()].filter((times) => times === 0).length, 'faults did not happen')
  none(strays, 'pushes went to targets outside of the send')
  none(
    sum(({ needless }) => needless),
    'requests were repeated after a final answer',
  )
  none(
    sum(({ needlessPushes }) => needlessPushes),
    'pushes were repeated after an answered one',
  )
  none(ended.filter((last) => !isEnd(last)).length, 'targets were lost: neither a final answer nor a dead letter')
  none(all.filter(([target, { last }]) => dead.has(target) && isEnd(last)).length, 'dead letters had a final answer')
  none(report.deadLetters.length - dead.size, 'targets are dead letters twice')
  same(report.givenUp, dead.size, 'the count of given-up targets differs from the dead letters')
  same(counted + report.givenUp, targets.length, 'the counted outcomes differ from the targets')
  broken.push(...compareCounts(ended, report.counted))
  const sent = report.counted.get('') ?? 0
  return {
    faults,
    requests: treatments.length,
    accepted: sum(({ accepted }) => accepted),
    duplicates: sum(({ accepted }) => Math.max(0, accepted - 1)),
    withheld: sum(({ withheld }) => withheld),
    sent,
    failed: counted - sent,
    givenUp: report.givenUp,
    broken,
  }
}

function newHistory(): History {
  return { accepted: 0, withheld: 0, last: undefined, needless: 0, needlessPushes: 0 }
}

function note(
  history: History,
  target: string,
  { accepted, answer, isAnswered }: Treatment,
  read: (answer: Answer, target: string) => Reading,
): void {
  if (isEnd(history.last)) history.needless++
  if (accepted.includes(target)) {
    if (history.accepted > history.withheld) history.needlessPushes++
    history.accepted++
    if (!isAnswered) history.withheld++
  }
  history.last = answer && isAnswered ? read(answer, target) : undefined
}

function isEnd(reading: Reading | undefined): reading is Reading {
  return reading !== undefined && reading.end !== 'again'
}

/** The server has to count every final answer of the simulator, by its error code. */
function compareCounts(ended: readonly (Reading | undefined)[], counted: ReadonlyMap<string, number>): string[] {
  const told = new Map<string, number>()
  for (const last of ended) if (isEnd(last)) told.set(last.reason, (told.get(last.reason) ?? 0) + 1)
  const reasons = new Set([...told.keys(), ...counted.keys()])
  return [...reasons].flatMap((reason) => {
    const [is, was] = [counted.get(reason) ?? 0, told.get(reason) ?? 0]
    return is === was ? [] : [`${is} targets are counted as ${reason || 'sent'}, but ${was} were answered so`]
  })
}
