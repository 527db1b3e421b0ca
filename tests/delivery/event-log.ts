// A recorder that keeps what it is given.
import type {
  AttemptRecorder,
  EventRecorder,
  EventSource,
  TargetAttempt,
  TargetEvent,
} from '../../src/analytics/analytics.ts'

/** Keeps events and attempts, each with its source. */
export class EventLog implements EventRecorder, AttemptRecorder {
  readonly events: (EventSource & TargetEvent)[] = []
  readonly attempts: (EventSource & TargetAttempt)[] = []

  async recordEvents(source: EventSource, events: Iterable<TargetEvent>): Promise<void> {
    for (const event of events) this.events.push({ ...source, ...event })
  }

  async recordAttempts(source: EventSource, attempts: Iterable<TargetAttempt>): Promise<void> {
    for (const attempt of attempts) this.attempts.push({ ...source, ...attempt })
  }

  /** The final events of each user: `status code`. */
  get endings(): Record<string, string[]> {
    const byUser: Record<string, string[]> = {}
    for (const { user, status, errorCode } of this.events) {
      byUser[user] = [...(byUser[user] ?? []), errorCode === '' ? status : `${status} ${errorCode}`]
    }
    return byUser
  }
}
