// How stream entries hold the targets of batches (lua/write-batch.lua describes the fields). The target lines of each
// batch of a broadcast have their own key, which is written and read without a script: Lua hashes every byte of its
// strings, and target lines as arguments and results of scripts took more than half of Redis' time.
import { randomUUID } from 'node:crypto'
import { replyWhenOutOfMemory } from '../../redis/out-of-memory.ts'
import type { BatchTargets, DeviceRange, NewBatch } from '../batch.ts'
import { KEEP_UNUSED_TARGETS_MS } from './limits.ts'
import type { Scope } from './scope.ts'

/** Targets as arguments of a script: the name of the field that stores them (lua/write-batch.lua), and its value. */
export type TargetArguments = [form: 't' | 'b' | 'd', value: Buffer | string]

/** A batch with its targets encoded as arguments of the script that stores the batch. */
export interface PlacedBatch {
  batch: NewBatch
  targets: TargetArguments
  /**
   * Resolves when Redis has stored the lines under their key, and also when it refused them at `maxmemory`: then the
   * script finds no key and returns FULL.
   */
  isSent: Promise<unknown>
}

/** Encodes targets that are stored in the stream entry itself. */
export function encodeTargets(targets: BatchTargets<Buffer | string>): TargetArguments {
  return targets.kind === 'lines' ? ['t', targets.lines] : ['d', encodeRange(targets.range)]
}

/** Encodes a range of devices as the value of the field `d`. */
function encodeRange({ after = '', until }: DeviceRange): string {
  return `${after} ${until}`
}

/** Decodes the range of devices from the value of the field `d`. */
export function decodeRange(text: string): DeviceRange {
  const [after = '', until = ''] = text.split(' ')
  return { after: after || undefined, until }
}

/**
 * Prepares the targets of a batch for its script. The lines of a broadcast's batch are sent to Redis under their own
 * key, on the same connection and so ahead of the script that refers to the key.
 */
export function placeTargets({ client, keys }: Scope, batch: NewBatch): PlacedBatch {
  const { lane, targets } = batch
  if (lane === 'small' || targets.kind === 'range') {
    return { batch, targets: encodeTargets(targets), isSent: Promise.resolve() }
  }
  const key = keys.targets(randomUUID())
  const isSent = client.set(key, targets.lines, 'PX', KEEP_UNUSED_TARGETS_MS).catch(replyWhenOutOfMemory('FULL'))
  return { batch, targets: ['b', key], isSent }
}

/**
 * Deletes target lines that no batch refers to, so that repeated commits of a page at `maxmemory` don't fill the
 * memory.
 */
export function deleteUnusedTargets({ client }: Scope, placed: readonly PlacedBatch[]): void {
  const names = placed.flatMap(({ targets: [form, value] }) => (form === 'b' ? [value.toString()] : []))
  if (names.length > 0) client.unlink(names).catch(() => undefined)
}

/** Reads the target lines under each key; null where the key does not exist. */
export async function loadTargets({ client }: Scope, names: readonly string[]): Promise<(Buffer | null)[]> {
  return names.length === 0 ? [] : await client.mgetBuffer([...names])
}
