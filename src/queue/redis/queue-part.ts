import type { Lane, WorkKind } from '../lane.ts'
import type { LimitCheck } from '../queue-limits.ts'

/** One of several queues that are the partitions of one. */
export interface QueuePart {
  /** The number of the partition. */
  index: number
  /** The number of partitions, which share the memory limits of a queue. */
  count: number
  /** The limits of all partitions together. */
  limits: LimitCheck
  /** Called at each announcement of work in a lane of this partition, after `listenTo`: of one kind, or of all. */
  onAnnounced(lane: Lane, only: WorkKind | undefined): void
}
