// A page's targets by when they may be sent to. Where a send has hours of the day, targets wait as what they are: those
// of all zones whose window opens at the same time are batches for then.
import { waitForWindow } from '../personalise/time-limit.ts'
import type { NewBatch, TimeLimit } from '../queue/queue.ts'

/** Targets of one provider that are in one zone. */
export interface ZoneGroup extends Pick<NewBatch, 'provider' | 'lines' | 'count'> {
  /** Empty: none. */
  timezone?: string
}

export interface WindowGroups<Group> {
  /** To be sent after `delayMs`, 0 being at once: for each provider one group a time. */
  open: (Group & { delayMs: number })[]
  /** Never to be sent. */
  closed: Group[]
}

/** @param atMs Unix time in ms */
export function groupByWindow<Group extends ZoneGroup>(
  groups: readonly Group[],
  limit: TimeLimit,
  atMs: number,
): WindowGroups<Group> {
  const open = new Map<string, Group & { delayMs: number }>()
  const closed: Group[] = []
  for (const group of groups) {
    const delayMs = waitForWindow(limit, group.timezone ?? '', atMs)
    if (delayMs === undefined) {
      closed.push(group)
      continue
    }
    const key = `${group.provider} ${delayMs}`
    const same = open.get(key)
    const count = group.count + (same?.count ?? 0)
    open.set(key, {
      ...group,
      count,
      lines: same ? Buffer.concat([same.lines, Buffer.from('\n'), group.lines]) : group.lines,
      delayMs,
    })
  }
  return { open: [...open.values()], closed }
}
