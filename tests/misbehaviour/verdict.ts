// What the simulator did to each target, in order, against what the server says became of it. The simulator is right:
//
//   answered with an end (sent, refused for good)   the server counts that, and never asks again
//   answered with anything else, or not answered    the server asks again, or gives up: a dead letter
//
// Pushes that came twice are only forgiven where the earlier one was accepted and not answered.
import type { Answer } from '../../src/simulators/answer.ts'
import type { Treatment } from '../../src/simulators/simulator-server.ts'
import type { Reading } from './misbehaving-provider.ts'

/** What the server says became of its targets. */
export interface ServerReport {
  /** Ends by their reason; that of what was sent is empty. */
  counted: ReadonlyMap<string, number>
  /** Targets given up, as the metrics have them. */
  givenUp: number
  /** The targets of the dead letters. */
  deadLetters: readonly string[]
}

export interface Evidence {
  targets: readonly string[]
  /** In the order in which the simulator looked at them. */
  treatments: readonly Treatment[]
  /** How often each fault happened. */
  faults: ReadonlyMap<string, number>
  read(answer: Answer, target: string): Reading
  report: ServerReport
}

export interface Verdict {
  faults: ReadonlyMap<string, number>
  requests: number
  /** Pushes that phones got. */
  accepted: number
  /** Beyond the first of each target. */
  duplicates: number
  /** Accepted pushes whose answer never reached the server. */
  withheld: number
  sent: number
  failed: number
  givenUp: number
  /** Broken promises, a sentence each; empty is what a run is to end with. */
  broken: string[]
}

/** What is known of one target. */
interface History {
  accepted: number
  withheld: number
  /** How the last request was answered; undefined where it wasn't. */
  last: Reading | undefined
  /** Requests after one that was answered with an end. */
  needless: number
  /** Pushes after one whose acceptance was told. */
  needlessPushes: number
}

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
  none(strays, 'pushes went to targets that nobody named')
  none(
    sum(({ needless }) => needless),
    'requests were made again although they had been answered for good',
  )
  none(
    sum(({ needlessPushes }) => needlessPushes),
    'pushes came twice although the first was answered',
  )
  none(ended.filter((last) => !isEnd(last)).length, 'targets were lost: no end, and no dead letter')
  none(all.filter(([target, { last }]) => dead.has(target) && isEnd(last)).length, 'dead letters had an end')
  none(report.deadLetters.length - dead.size, 'targets are dead letters twice')
  same(report.givenUp, dead.size, 'not as many targets were counted as given up as there are dead letters')
  same(counted + report.givenUp, targets.length, 'not as many ends were counted as there are targets')
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

/** Every end that the simulator told, by its reason, has to be counted as often as it told it. */
function compareCounts(ended: readonly (Reading | undefined)[], counted: ReadonlyMap<string, number>): string[] {
  const told = new Map<string, number>()
  for (const last of ended) if (isEnd(last)) told.set(last.reason, (told.get(last.reason) ?? 0) + 1)
  const reasons = new Set([...told.keys(), ...counted.keys()])
  return [...reasons].flatMap((reason) => {
    const [is, was] = [counted.get(reason) ?? 0, told.get(reason) ?? 0]
    return is === was ? [] : [`${is} targets are counted as ${reason || 'sent'}, but ${was} were told so`]
  })
}
