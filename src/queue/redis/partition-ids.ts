// Ids of a queue of partitions: the number of the partition before the id that the partition has given. Ids of the first
// partition have no number, so they are those of a queue without partitions.

/** Makes the id of a partition's batch or dead letter. */
export function makePartitionId(partition: number, id: string): string {
  return partition === 0 ? id : `${partition}:${id}`
}

/** Splits an id into the number of its partition and the id there. */
export function splitPartitionId(id: string): { partition: number; id: string } {
  const [, partition, own = id] = /^(\d+):(.*)$/s.exec(id) ?? []
  return { partition: Number(partition ?? 0), id: own }
}
