// Groups the targets of a page by the time at which the send's time window opens for them. Time zones with the same
// opening time share batches, and these are stored with the delay until then.
import type { TargetGroup } from '../devices/target-page.ts'
import { waitForWindow } from '../personalise/time-limit.ts'
import { joinLines } from '../sends/line-bytes.ts'
import type { TimeLimit } from '../sends/time-limit.ts'

/** The groups of a page, sorted by the send's time window: those that get the push, and those that are dropped. */
export interface WindowGroups<Group> {
  /** The groups to send to: one for each pair of provider and delay. A delay of 0 ms means at once. */
  open: (Group & { delayMs: number })[]
  /** Groups of devices without a time zone, which are dropped. */
  closed: Group[]
}

/** Groups targets by the delay until the time window opens. @param atMs the current Unix time in ms */
export function groupByWindow<Group extends TargetGroup>(
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

/**
 * Joins all groups with the same delay at once: a page may have hundreds of time zones, and to join them one by one
 * would copy each of them several times.
 */
function mergeGroups<Group extends TargetGroup>(groups: [Group, ...Group[]]): Group {
  const count = groups.reduce((sum, group) => sum + group.count, 0)
  return { ...groups[0], count, lines: joinLines(groups.map(({ lines }) => lines)) }
}
