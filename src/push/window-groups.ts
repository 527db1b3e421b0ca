// Groups the targets of a page by the time at which their local window opens: the targets of all zones whose windows open
// at the same time are stored as batches with that delay.
import type { TargetGroup } from '../devices/target-page.ts'
import { waitForWindow } from '../personalise/time-limit.ts'
import { joinLines } from '../sends/line-bytes.ts'
import type { TimeLimit } from '../sends/time-limit.ts'

/** Groups by window. */
export interface WindowGroups<Group> {
  /** Sent after `delayMs`, at once if it is 0: one group for each provider and delay. */
  open: (Group & { delayMs: number })[]
  /** Never sent: without a time zone. */
  closed: Group[]
}

/** Groups targets by the delay until their window opens. @param atMs Unix time in ms */
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

/** Called once for all groups of a delay: a page may have hundreds of zones, and joining them one by one copies each again. */
function mergeGroups<Group extends TargetGroup>(groups: [Group, ...Group[]]): Group {
  const count = groups.reduce((sum, group) => sum + group.count, 0)
  return { ...groups[0], count, lines: joinLines(groups.map(({ lines }) => lines)) }
}
