import type { TargetEvent } from '../analytics.ts'

/** Neighbouring events that are counted together. */
export type EventRun = [TargetEvent, ...TargetEvent[]]

/**
 * Groups neighbouring events that are counted together. In a batch most targets have the same outcome, and a count for
 * each of them would cost more than its row.
 */
export function* groupRuns(events: Iterable<TargetEvent>): Iterable<EventRun> {
  let run: EventRun | undefined
  for (const event of events) {
    if (run && isCountedWith(run[0], event)) run.push(event)
    else {
      if (run) yield run
      run = [event]
    }
  }
  if (run) yield run
}

function isCountedWith(a: TargetEvent, b: TargetEvent): boolean {
  return a.status === b.status && a.platform === b.platform && a.errorCode === b.errorCode
}
