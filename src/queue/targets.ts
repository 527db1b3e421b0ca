// How a batch's targets are written in the queue: a line each, `device id TAB value`. Lines cost a third less than JSON
// to read, and neither part can hold a tab or a line feed: both are refused when a device or a send is accepted.
import type { QueuedTarget } from './queue.ts'

export function encodeTargets(targets: readonly QueuedTarget[]): string {
  return targets.map(({ deviceId, value }) => `${deviceId}\t${value}`).join('\n')
}

export function decodeTargets(lines: string): QueuedTarget[] {
  return lines.split('\n').map((line) => {
    const tab = line.indexOf('\t')
    return { deviceId: line.slice(0, tab), value: line.slice(tab + 1) }
  })
}
