// A page's targets by when they may be sent to. Where a send has hours of the day, targets wait as what they are: those
// of all zones whose window opens at the same time are batches for then.
import { waitForWindow } from '../personalise/time-limit.ts'
import type { NewBatch, TimeLimit } from '../queue/queue.ts'
import { joinLines } from '../queue/targets.ts'

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
  const open = new Map<string, { delayMs: number; groups: [Group, ...Group[]] }>()
  const closed: Group[] = []
  for (const group of groups) {
    const delayMs = waitForWindow(limit, group.timezone ?? '', atMs)
    if (delayMs === undefined) {
      closed.push(group)
      continue
    }
    const key = `${group.provider} ${delayMs}`
    const same = open.get(key)
    if (same) same.groups.push(group)
    else open.set(key, { delayMs, groups: [group] })
  }
  return { open: [...open.values()].map(({ delayMs, groups }) => ({ ...mergeGroups(groups), delayMs })), closed }
}

/** Once all are known: a page may have hundreds of zones, and each copy is of all before it. */
function mergeGroups<Group extends ZoneGroup>(groups: [Group, ...Group[]]): Group {
  const count = groups.reduce((sum, group) => sum + group.count, 0)
  return { ...groups[0], count, lines: joinLines(groups.map(({ lines }) => lines)) }
}
